//! Talks to the helpers of containers that run or have ended.

use crate::{
    embedded::Embedded,
    helper::{Cgroup, Hierarchies},
    launch::blocking,
    network,
    place::Places,
    remains,
    state::{State, now},
    wire::{Request, SOCKET},
};
use fairway_engine::{ContainerId, EngineError, Exit, ExitStatus};
use rustix::fs::{CWD, Mode, OFlags, openat};
use std::{io, os::fd::AsRawFd, path::Path, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
};

/// How long a helper may take from its last word to its end.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// A container as it is found.
pub(crate) enum Found {
    /// Its helper answers; how it stands now.
    Watched(Box<Contact>, State),
    /// Its helper was killed, and with it the container.
    Lost(State),
}

/// A connection to a helper.
pub(crate) struct Contact {
    stream: BufReader<UnixStream>,
    /// The beginning of what it says next.
    line: Vec<u8>,
}

/// What a helper says.
pub(crate) enum Said {
    /// How the container stands now.
    State(Box<State>),
    /// Its log has grown.
    Growth,
}

/// Finds a container.
pub(crate) async fn find(engine: &Embedded, id: &ContainerId) -> Result<Found, EngineError> {
    crate::place::check_name(&id.name)?;
    let dir = engine.places().container(id);
    let Some(state) = State::load(&dir)? else {
        return Err(EngineError::NoContainer(id.clone()));
    };
    let connected = connect(&dir).await;
    if let Ok(stream) = connected {
        let mut contact = Contact { stream: BufReader::new(stream), line: Vec::new() };
        if let Some(state) = contact.next().await? {
            return Ok(Found::Watched(Box::new(contact), state));
        }
    }
    let (places, id) = (engine.places().clone(), id.clone());
    blocking(move || lose(&places, &id, state)).await.map(Found::Lost)
}

/// A socket's path may be too long for its address; through the open directory it is not.
async fn connect(dir: &Path) -> io::Result<UnixStream> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = openat(CWD, dir, flags, Mode::empty())?;
    UnixStream::connect(format!("/proc/self/fd/{}/{SOCKET}", dir.as_raw_fd())).await
}

/// Settles a container whose helper was killed: its processes end, its status is not known.
fn lose(places: &Places, id: &ContainerId, state: State) -> Result<State, EngineError> {
    if !state.helper.ends_within(ENDS_WITHIN) {
        return Err(EngineError::Broken(format!("the helper of `{id}` does not answer")));
    }
    let dir = places.container(id);
    if !dir.exists() {
        return Err(EngineError::NoContainer(id.clone()));
    }
    if state.exit.is_some() {
        return Ok(state);
    }
    Cgroup::new(&Hierarchies::here()?, &places.cgroup(id)).remove()?;
    let lost = Exit { status: ExitStatus::Lost, memory_kills: 0, process_refusals: 0, at: now() };
    let state = State { exit: Some(lost), ..state };
    state.save(&dir)?;
    Ok(state)
}

impl Contact {
    /// The next state of the container; `None` when the helper has ended.
    pub(crate) async fn next(&mut self) -> Result<Option<State>, EngineError> {
        loop {
            match self.hear().await? {
                Some(Said::Growth) => {}
                Some(Said::State(state)) => return Ok(Some(*state)),
                None => return Ok(None),
            }
        }
    }

    /// What the helper says next; `None` when it has ended. May be given up and called again.
    pub(crate) async fn hear(&mut self) -> Result<Option<Said>, EngineError> {
        let read = self.stream.read_until(b'\n', &mut self.line).await;
        match read {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
            read => read.map_err(EngineError::io("listen to a helper"))?,
        };
        if self.line.is_empty() {
            return Ok(None);
        }
        let line = std::mem::take(&mut self.line);
        if line == b"\n" {
            return Ok(Some(Said::Growth));
        }
        let state = serde_json::from_slice(&line);
        state.map(|state| Some(Said::State(Box::new(state)))).map_err(|error| {
            EngineError::Broken(format!("a helper said something unknown: {error}"))
        })
    }

    /// Asks for something. A helper that has ended meanwhile says so by [`Contact::next`].
    pub(crate) async fn ask(&mut self, request: Request) -> Result<(), EngineError> {
        match self.stream.get_mut().write_all(&[request.byte()]).await {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map_err(EngineError::io("ask a helper")),
        }
    }
}

/// Stops a container with its signal and grace.
pub(crate) async fn stop(engine: &Embedded, id: &ContainerId) -> Result<Exit, EngineError> {
    let (mut contact, mut state) = match find(engine, id).await? {
        Found::Watched(contact, state) => (contact, state),
        Found::Lost(state) => return exit_of(id, &state),
    };
    if state.exit.is_none() {
        contact.ask(Request::Stop).await?;
    }
    loop {
        if let Some(exit) = state.exit {
            return Ok(exit);
        }
        state = match contact.next().await? {
            Some(state) => state,
            None => match find(engine, id).await? {
                Found::Watched(_, state) | Found::Lost(state) => return exit_of(id, &state),
            },
        };
    }
}

fn exit_of(id: &ContainerId, state: &State) -> Result<Exit, EngineError> {
    state.exit.ok_or_else(|| EngineError::Broken(format!("the helper of `{id}` does not answer")))
}

/// Removes a container with its files; kills it if it runs.
pub(crate) async fn remove(engine: &Embedded, id: &ContainerId) -> Result<(), EngineError> {
    match find(engine, id).await {
        Ok(Found::Watched(mut contact, _)) => {
            contact.ask(Request::Remove).await?;
            while contact.next().await?.is_some() {}
        }
        Ok(Found::Lost(_)) | Err(EngineError::NoContainer(_)) => {}
        Err(error) => return Err(error),
    }
    network::disconnect(engine, id).await?;
    let (places, id) = (engine.places().clone(), id.clone());
    // Usually the helper has removed everything.
    blocking(move || remains::remove_if_left(&places, &id)).await
}
