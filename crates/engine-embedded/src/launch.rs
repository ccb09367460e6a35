//! Starts helpers.

use crate::{
    embedded::Embedded,
    helper::{RUN, SUBCOMMAND},
    network,
    plan::{Networking, Plan},
    wire::{Connected, FromHelper, LINE_MAX},
};
use fairway_engine::{ContainerId, EngineError};
use std::{
    fs::{self, File},
    io,
    os::{fd::OwnedFd, unix::net::UnixStream as StdStream},
    path::Path,
    process::Stdio,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    process::{Child, Command},
};

/// Runs blocking work of this crate on a thread for it.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| EngineError::Broken(format!("a task of the engine failed: {error}")))?
}

/// Claims the name of a container.
pub(crate) fn claim(engine: &Embedded, id: &ContainerId) -> Result<(), EngineError> {
    crate::place::check_name(&id.name)?;
    engine.check_open(&id.group)?;
    match fs::create_dir(engine.places().container(id)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(EngineError::Exists(id.clone()))
        }
        made => made.map_err(EngineError::io(format!("make the directory of `{id}`"))),
    }
}

/// Starts the helper of a plan and returns when the container runs. Nothing is left behind if it
/// does not.
pub(crate) async fn launch(engine: &Embedded, plan: Plan) -> Result<(), EngineError> {
    let (id, networking) = (plan.id.clone(), plan.network.clone());
    let (places, executable) = (engine.places().clone(), engine.helper().to_owned());
    let (stream, child) = blocking(move || {
        let files = places.container_files(&plan.id);
        fs::create_dir_all(&files)
            .map_err(EngineError::io(format!("make `{}`", files.display())))?;
        let path = plan.save()?;
        spawn(&executable, &path)
    })
    .await?;
    let started = converse(engine, id, stream, &networking).await;
    // The runtime waits for it when it ends; if this process ends before, nobody has to.
    drop(child);
    started
}

/// What `libcontainer` says when the first process of a container was killed while it was set up.
const INIT_KILLED: &str = "BrokenChannel";

/// Answers a helper until its container runs.
async fn converse(
    engine: &Embedded,
    id: ContainerId,
    stream: StdStream,
    networking: &Networking,
) -> Result<(), EngineError> {
    let mut helper = Helper::new(stream)?;
    loop {
        match helper.hear().await? {
            Some(FromHelper::Running) => return Ok(()),
            Some(FromHelper::Unconnected(pid)) => {
                let Networking::Group { names, port } = networking.clone() else { continue };
                let connected = network::connect(engine, &id, pid, names, port).await?;
                helper.say(&connected).await?;
            }
            Some(FromHelper::Failed(why)) if why.contains(INIT_KILLED) => {
                return Err(EngineError::Lost(id));
            }
            Some(FromHelper::Failed(why)) => return Err(EngineError::Start { container: id, why }),
            None => return Err(ended_early(engine, id)),
        }
    }
}

/// Why a helper ended before its container ran: it broke and said so, or it was killed.
fn ended_early(engine: &Embedded, id: ContainerId) -> EngineError {
    let dir = engine.places().container(&id);
    let words = fs::read_to_string(dir.join("helper.log")).unwrap_or_default();
    match words.lines().last() {
        Some(last) => {
            EngineError::Start { container: id, why: format!("its helper ended early: {last}") }
        }
        None => EngineError::Lost(id),
    }
}

fn spawn(executable: &Path, plan: &Path) -> Result<(StdStream, Child), EngineError> {
    let (ours, theirs) = StdStream::pair().map_err(EngineError::io("make a socket pair"))?;
    let words = plan.with_file_name("helper.log");
    let words = File::create(&words).map_err(EngineError::io("make the helper's log"))?;
    let child = Command::new(executable)
        .arg(SUBCOMMAND)
        .arg(RUN)
        .arg(plan)
        .env_clear()
        .current_dir("/")
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        .stderr(words)
        .spawn()
        .map_err(EngineError::io(format!("start `{}`", executable.display())))?;
    Ok((ours, child))
}

/// The asker's end of the socket pair.
struct Helper(BufReader<UnixStream>);

impl Helper {
    fn new(stream: StdStream) -> Result<Self, EngineError> {
        let stream = stream.set_nonblocking(true).and_then(|()| UnixStream::from_std(stream));
        Ok(Self(BufReader::new(stream.map_err(EngineError::io("listen to the helper"))?)))
    }

    async fn hear(&mut self) -> Result<Option<FromHelper>, EngineError> {
        let mut line = String::new();
        match (&mut self.0).take(LINE_MAX).read_line(&mut line).await {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
            read => read.map_err(EngineError::io("listen to the helper"))?,
        };
        if line.is_empty() {
            return Ok(None);
        }
        let message = serde_json::from_str(&line);
        message.map(Some).map_err(|error| {
            EngineError::Broken(format!("the helper said something unknown: {error}"))
        })
    }

    async fn say(&mut self, message: &Connected) -> Result<(), EngineError> {
        let mut line = serde_json::to_vec(message).expect("a message is plain data");
        line.push(b'\n');
        match self.0.get_mut().write_all(&line).await {
            // It has failed meanwhile and has said why.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(EngineError::io("answer the helper")),
        }
    }
}
