//! A PostgreSQL server on a free port and a Unix socket, with its data in a temporary directory and
//! with syncs on. Whoever ends this process, a shell that outlives it stops the server and removes
//! the directory.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Who runs the server when root runs the tests, because it does not run as root.
const USER: &str = "postgres";
const STARTS: usize = 3;

pub(crate) struct Server {
    dir: PathBuf,
    programs: PathBuf,
    port: u16,
    /// The shell ends the server when this is closed.
    _end: ChildStdin,
    _shell: Child,
}

impl Server {
    /// The server that tests share.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server of the caller's own, started beside what else the test does.
    pub(crate) async fn start_apart() -> Self {
        tokio::task::spawn_blocking(Self::start).await.unwrap()
    }

    fn start() -> Self {
        let mut server = Self::unpack(|programs, data| {
            run(as_user(&programs.join("initdb"))
                .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "-D"])
                .arg(data));
        });
        server.configure();
        assert!((0..STARTS).any(|_| server.try_start()), "a server starts; {}", server.log());
        server
    }

    /// A copy of a server that follows it.
    pub(crate) fn standby_of(first: &Self) -> Self {
        let mut server = Self::unpack(|programs, data| {
            run(as_user(&programs.join("pg_basebackup"))
                .args(["-R", "-X", "stream", "-c", "fast", "-U", "postgres", "-h"])
                .arg(&first.dir)
                .args(["-p", &first.port.to_string(), "-D"])
                .arg(data));
        });
        let sockets = format!("unix_socket_directories = '{}'\n", server.dir.display());
        append(&server.data().join("postgresql.auto.conf"), &sockets);
        assert!((0..STARTS).any(|_| server.try_start()), "a standby starts; {}", server.log());
        server
    }

    /// Makes the data of a server in a directory that somebody cleans up.
    fn unpack(make: impl FnOnce(&Path, &Path)) -> Self {
        let programs = programs();
        let dir = tempfile::Builder::new().prefix("fairway-pg-").tempdir_in("/var/tmp").unwrap();
        let dir = dir.keep();
        let mut shell = shell(&dir);
        let end = shell.stdin.take().unwrap();
        if is_root() {
            run(Command::new("chown").arg(USER).arg(&dir));
        }
        make(&programs, &dir.join("data"));
        Self { dir, programs, port: 0, _end: end, _shell: shell }
    }

    fn configure(&self) {
        let lines = format!(
            "unix_socket_directories = '{}'\nmax_connections = 300\nssl = on\n",
            self.dir.display()
        );
        let rules = "local all guarded scram-sha-256\nlocal all all trust\n\
            local replication all trust\n\
            hostssl all all 127.0.0.1/32 trust\nhostnossl all tls 127.0.0.1/32 reject\n\
            host all all 127.0.0.1/32 trust\n";
        append(&self.data().join("postgresql.conf"), &lines);
        self.make_certificate();
        fs::write(self.data().join("pg_hba.conf"), rules).unwrap();
    }

    /// A certificate that vouches for itself.
    fn make_certificate(&self) {
        let [key, certificate] = ["server.key", "server.crt"].map(|name| self.data().join(name));
        run(as_user(Path::new("openssl"))
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
            .arg(key)
            .arg("-out")
            .arg(certificate));
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.data().join("server.crt")
    }

    /// Ports are free only until somebody else takes them.
    fn try_start(&mut self) -> bool {
        self.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        self.control(&["start", "-o", &format!("-p {} -c listen_addresses=127.0.0.1", self.port)])
    }

    /// Starts the server again; `immediate` is as good as a crash.
    pub(crate) fn restart(&self, mode: &str) {
        assert!(self.control(&["restart", "-m", mode]), "it restarts; {}", self.log());
    }

    pub(crate) fn stop(&self) {
        assert!(self.control(&["stop", "-m", "fast"]), "it stops; {}", self.log());
    }

    fn control(&self, arguments: &[&str]) -> bool {
        let mut control = as_user(&self.programs.join("pg_ctl"));
        control.args(["-w", "-t", "60", "-D"]).arg(self.data());
        control.arg("-l").arg(self.dir.join("log")).args(arguments).stdout(Stdio::null());
        control.status().unwrap().success()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// The socket for those on this machine.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join(format!(".s.PGSQL.{}", self.port))
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The address of a ledger in a schema, by the socket.
    pub(crate) fn url(&self, schema: &str) -> String {
        let host = self.dir.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{host}:{}/postgres?schema={schema}", self.port)
    }

    /// A client, and what it answers: the first column of the first row of the last statement.
    pub(crate) async fn ask(&self, sql: &str) -> Option<String> {
        let url = self.url("x");
        let (url, _) = url.split_once('?').unwrap();
        let (client, connection) =
            tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let messages = client.simple_query(sql).await.unwrap();
        connection.abort();
        messages.into_iter().rev().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
    }
}

/// Waits for something by asking again and again.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so().await {
        assert!(Instant::now() < deadline, "it comes to be that {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn append(path: &Path, lines: &str) {
    fs::write(path, fs::read_to_string(path).unwrap() + lines).unwrap();
}

fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL in `/usr/lib/postgresql`; install the package `postgresql`");
    let newest = versions.map(|version| version.unwrap().path()).max();
    newest.expect("a version of PostgreSQL").join("bin")
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

fn as_user(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", USER, "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/").stdin(Stdio::null());
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Waits until this process is gone, and cleans up after it.
fn shell(dir: &Path) -> Child {
    let script = r#"trap '' INT TERM HUP
        cat
        if [ -e "$1/data/postmaster.pid" ]; then
            server="$(head -n 1 "$1/data/postmaster.pid")"
            kill -QUIT "$server"
            tail --pid="$server" -f /dev/null
        fi
        rm -rf "$1""#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(dir);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.spawn().unwrap()
}
