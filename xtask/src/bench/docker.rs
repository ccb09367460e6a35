//! A Docker Engine for as long as it is measured.
//!
//! It runs in network and mount namespaces of its own, so that its bridge, its rules and its mounts
//! go with it, and nothing of the machine is changed.

use super::place::{Place, remove};
use crate::shell::{self, Outcome};
use std::{
    fs::File,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Where Debian's `docker.io` puts its programs; others may be before it in `PATH`.
const CLIENT: &str = "/usr/bin/docker";
/// How long the engine may take until it answers.
const STARTS_WITHIN: Duration = Duration::from_mins(1);
/// How often it is asked.
const POLL: Duration = Duration::from_millis(100);

/// Starts the engine in its own namespaces; the arguments are those of `dockerd`.
const START: &str = "ip link set lo up && exec dockerd --log-level error \"$@\"";

/// A running engine. It is stopped when this is dropped.
#[derive(Debug)]
pub struct Docker {
    socket: String,
    engine: Child,
}

impl Docker {
    /// Starts an engine with data of its own and waits until it answers.
    pub fn start(place: &Place) -> Outcome<Self> {
        let dir = place.fresh("docker")?;
        let at = |name: &str| dir.join(name).to_string_lossy().into_owned();
        let socket = format!("unix://{}", at("socket"));
        let log = File::create(dir.join("log"))?;
        let engine = Command::new("unshare")
            .args(["--net", "--mount", "--propagation", "private", "sh", "-c", START, "dockerd"])
            .args(["--data-root", &at("data"), "--exec-root", &at("run")])
            .args(["--pidfile", &at("pid"), "--host", &socket])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let mut docker = Self { socket, engine };
        docker.wait_until_it_answers()?;
        Ok(docker)
    }

    /// A command for this engine.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(CLIENT);
        command.arg("--host").arg(&self.socket).args(arguments);
        command
    }

    /// Makes an image of a root directory's tar with changes of its configuration.
    pub fn import(&self, tar: &PathBuf, changes: &[String], name: &str) -> Outcome {
        let mut command = self.command(&["import"]);
        for change in changes {
            command.args(["--change", change]);
        }
        shell::run(command.arg(tar).arg(name).stdout(Stdio::null()))
    }

    fn wait_until_it_answers(&mut self) -> Outcome {
        let deadline = Instant::now() + STARTS_WITHIN;
        loop {
            let mut ask = self.command(&["version"]);
            if ask.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success() {
                return Ok(());
            }
            if let Some(status) = self.engine.try_wait()? {
                return Err(format!("`dockerd` ended: {status}").into());
            }
            if Instant::now() > deadline {
                return Err("`dockerd` does not answer".into());
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        let stopped = Command::new("kill").arg(self.engine.id().to_string()).status();
        let ended = stopped.and_then(|_| self.engine.wait());
        if let Err(error) = ended {
            shell::say(&format!("could not stop `dockerd`: {error}"));
        }
    }
}

/// Removes what an engine had; to be called after it was stopped.
pub fn clean(place: &Place) -> Outcome {
    remove(&place.path("docker"))
}
