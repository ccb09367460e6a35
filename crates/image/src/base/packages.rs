//! The package tools of Debian, which put a suite's packages together: `mmdebstrap`. The only
//! program that making an image starts by itself.

use crate::{
    error::BuildError,
    event::{BuildEvent, Events},
};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use std::{io, path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

const PROGRAM: &str = "mmdebstrap";
const INSTALL: &str = "apt-get install mmdebstrap";
/// The exit code of what should have become another program that is not there (POSIX `env`).
const NOT_FOUND: i32 = 127;
/// Longest line of the tools that is shown.
const LINE_MAX: u64 = 4 << 10;

/// Ends the tools, all that they started and their mounts when this process ends, however it ends:
/// they are in namespaces of their own, whose first process is killed with its parent.
const CONTAINED: [&str; 10] = [
    "--pdeathsig",
    "KILL",
    "--",
    "unshare",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount",
    "--mount-proc",
    "--",
];

/// Leaves out what no service reads, and the syncs that no build needs; both also hold for packages
/// that are installed later. Licences stay.
const OPTIONS: [&str; 9] = [
    "--variant=minbase",
    "--format=tar",
    "--aptopt=Acquire::Languages \"none\"",
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
];

/// The tools at work. Dropped, they are ended with all that they started.
pub(crate) struct Tools {
    child: Child,
    group: Option<Pid>,
    tar: Option<io::PipeReader>,
    last_words: JoinHandle<String>,
}

/// Starts to make the tar of a suite. What it leaves in the directory `scratch` is the caller's.
pub(crate) fn start(
    suite: &str,
    packages: &[String],
    scratch: &Path,
    events: &Events,
) -> Result<Tools, BuildError> {
    let failure = |error: io::Error| BuildError::io("start", Path::new(PROGRAM), error);
    let (tar, writer) = io::pipe().map_err(failure)?;
    let mut command = Command::new("setpriv");
    command.args(CONTAINED).arg(PROGRAM).args(OPTIONS);
    if !packages.is_empty() {
        command.arg(format!("--include={}", packages.join(",")));
    }
    command.args([suite, "-"]);
    command.env("SOURCE_DATE_EPOCH", super::debian::EPOCH.to_string());
    command.env("TMPDIR", scratch);
    command.env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(failure)?;
    // The command holds the writing end, which would keep the tar from ending.
    drop(command);
    let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
    let words = child.stderr.take().expect("it was piped above");
    let events = events.clone();
    let last_words = tokio::spawn(async move {
        let mut last = String::new();
        let mut words = BufReader::new(words);
        loop {
            let mut line = Vec::new();
            let read = (&mut words).take(LINE_MAX).read_until(b'\n', &mut line).await;
            if read.is_err() || line.is_empty() {
                return last;
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if line.starts_with("E:") || !last.starts_with("E:") {
                last.clone_from(&line);
            }
            events.send(BuildEvent::Packages(line));
        }
    });
    Ok(Tools { child, group, tar: Some(tar), last_words })
}

impl Tools {
    /// What they write, to be read to its end.
    pub(crate) fn take_tar(&mut self) -> io::PipeReader {
        self.tar.take().expect("it is taken once")
    }

    /// Waits for their end.
    pub(crate) async fn finish(mut self, suite: &str) -> Result<(), BuildError> {
        let ended = self.child.wait().await;
        let ended = ended.map_err(|error| BuildError::io("wait for", Path::new(PROGRAM), error))?;
        self.group = None;
        match ended.code() {
            Some(0) => return Ok(()),
            Some(NOT_FOUND) => {
                return Err(BuildError::NoProgram { program: PROGRAM, install: INSTALL });
            }
            _ => {}
        }
        let said = match (&mut self.last_words).await {
            Ok(said) if !said.is_empty() => said,
            _ => format!("`{PROGRAM}` ended with {ended}"),
        };
        Err(BuildError::Packages { suite: suite.to_owned(), said })
    }
}

impl Drop for Tools {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            match killpg(group, Signal::SIGKILL) {
                // If it is gone, all is well.
                Ok(()) | Err(_) => {}
            }
        }
    }
}
