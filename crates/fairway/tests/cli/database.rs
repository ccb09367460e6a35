//! A PostgreSQL server (Debian's `postgresql`) on a Unix socket, with its data in a temporary folder.
//! A shell that outlives this process ends the server and removes the folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::OnceLock,
};

/// PostgreSQL does not run as root.
const USER: &str = "postgres";

/// A server that tests share; each uses schemas of its own.
pub struct Database {
    dir: PathBuf,
    /// The shell ends the server when this is closed.
    _end: ChildStdin,
    _shell: Child,
}

impl Database {
    /// The server.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Database> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// The address of a ledger in a schema.
    pub fn url(&self, schema: &str) -> String {
        let host = self.dir.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{host}/postgres?schema={schema}")
    }

    /// Does something behind the back of a ledger.
    pub fn change(&self, schema: &str, sql: &str) {
        let mut client = as_user("psql");
        client.args(["-U", "postgres", "-v", "ON_ERROR_STOP=1", "-h"]).arg(&self.dir);
        run(client.args(["-c", &format!("SET search_path = {schema}; {sql}"), "postgres"]));
    }

    fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("fairway-pg-").tempdir_in("/var/tmp").unwrap();
        let dir = dir.keep();
        run(Command::new("chown").arg(USER).arg(&dir));
        let mut shell = shell(&dir);
        let end = shell.stdin.take().unwrap();
        let data = dir.join("data");
        let initdb = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "-D"];
        run(as_user("initdb").args(initdb).arg(&data));
        let settings = data.join("postgresql.conf");
        let sockets = format!("unix_socket_directories = '{}'\n", dir.display());
        fs::write(&settings, fs::read_to_string(&settings).unwrap() + &sockets).unwrap();
        let mut control = as_user("pg_ctl");
        control.args(["-w", "-t", "60", "-o", "-c listen_addresses=", "-D"]).arg(&data);
        run(control.arg("-l").arg(dir.join("log")).arg("start").stdout(Stdio::null()));
        Self { dir, _end: end, _shell: shell }
    }
}

/// A program of the newest PostgreSQL.
fn as_user(program: &str) -> Command {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL; install `postgresql`");
    let newest = versions.map(|version| version.unwrap().path()).max().unwrap();
    let mut command = Command::new("runuser");
    command.args(["-u", USER, "--"]).arg(newest.join("bin").join(program));
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// Programs that stay are not waited for: they keep no pipe of ours.
fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}");
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
