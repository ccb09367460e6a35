//! What asker and helper say to each other.
//!
//! While a container is started: one JSON value per line on a socket pair. Afterwards anybody may
//! connect to the container's socket: he gets the [`State`](crate::state::State) as one line, now
//! and after each change, and may send [`Request`] bytes. The helper closes a connection only when
//! it ends.

use serde::{Deserialize, Serialize};
use std::{
    io::{self, BufRead, BufReader, Write},
    net::SocketAddr,
    os::unix::net::UnixStream,
};

/// The name of a container's socket in its runtime directory.
pub(crate) const SOCKET: &str = "socket";

/// Longest line either side accepts.
pub(crate) const LINE_MAX: u64 = 64 << 10;

/// What a helper says while it starts a container.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromHelper {
    /// The helper with this number sits in a fresh network namespace.
    Unconnected(u32),
    /// The container runs.
    Running,
    /// It could not be started; why.
    Failed(String),
}

/// What the asker answers to [`FromHelper::Unconnected`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Connected {
    /// The container's address, with the port at which others reach it.
    pub(crate) address: SocketAddr,
    /// What `/etc/resolv.conf` holds.
    pub(crate) resolver: String,
}

/// What anybody may ask of a helper whose container runs or has ended, as one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// Stop with the signal and the grace.
    Stop,
    /// Kill if it runs, remove all its files, end.
    Remove,
    /// Its readiness probe passed.
    Ready,
    /// Say once, by an empty line, that the log has grown since that was said last.
    Growth,
}

impl Request {
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Stop => b's',
            Self::Remove => b'r',
            Self::Ready => b'y',
            Self::Growth => b'g',
        }
    }

    pub(crate) fn of(byte: u8) -> Option<Self> {
        [Self::Stop, Self::Remove, Self::Ready, Self::Growth]
            .into_iter()
            .find(|known| known.byte() == byte)
    }
}

/// The helper's end of the socket pair.
pub(crate) struct Asker(BufReader<UnixStream>);

impl Asker {
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self(BufReader::new(stream))
    }

    /// Says something.
    pub(crate) fn say(&mut self, message: &FromHelper) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.0.get_mut().write_all(&line)
    }

    /// Waits for the network to be connected.
    pub(crate) fn connected(&mut self) -> io::Result<Connected> {
        let mut line = String::new();
        io::Read::take(&mut self.0, LINE_MAX).read_line(&mut line)?;
        if line.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the asker is gone"));
        }
        Ok(serde_json::from_str(&line)?)
    }
}
