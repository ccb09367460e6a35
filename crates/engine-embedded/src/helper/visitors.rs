//! Who is connected to a container's socket.

use crate::{state::State, wire::Request};
use std::{
    io::{ErrorKind, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::{UnixListener, UnixStream},
    },
};

/// Most connections to one container at a time; more wait.
const VISITORS_MAX: usize = 64;

/// The socket and its connections.
pub(super) struct Visitors {
    listener: UnixListener,
    visitors: Vec<Visitor>,
}

struct Visitor {
    stream: UnixStream,
    waits: Waits,
    /// The size of the log when its growth was told last.
    told: u64,
}

/// Whether a visitor is to be told when the log grows; once each time he asks, so that what he does
/// not read cannot pile up.
#[derive(PartialEq, Eq)]
enum Waits {
    ForGrowth,
    ForChanges,
}

impl Visitors {
    /// Nobody yet.
    pub(super) fn new(listener: UnixListener) -> Self {
        Self { listener, visitors: Vec::new() }
    }

    /// The socket, while there is room for more.
    pub(super) fn door(&self) -> Option<BorrowedFd<'_>> {
        (self.visitors.len() < VISITORS_MAX).then(|| self.listener.as_fd())
    }

    /// The connections.
    pub(super) fn streams(&self) -> impl Iterator<Item = &UnixStream> {
        self.visitors.iter().map(|visitor| &visitor.stream)
    }

    /// Lets in who waits, and tells them how the container stands.
    pub(super) fn welcome(&mut self, state: &State) {
        while self.visitors.len() < VISITORS_MAX {
            let Ok((mut stream, _)) = self.listener.accept() else { return };
            let greeted =
                stream.set_nonblocking(true).and_then(|()| stream.write_all(&line(state)));
            if greeted.is_ok() {
                self.visitors.push(Visitor { stream, waits: Waits::ForChanges, told: 0 });
            }
        }
    }

    /// Tells everybody how the container stands now.
    pub(super) fn tell(&mut self, state: &State) {
        let line = line(state);
        self.visitors.retain_mut(|visitor| visitor.stream.write_all(&line).is_ok());
    }

    /// Tells those who wait for it that the log has this size.
    pub(super) fn tell_growth(&mut self, size: u64) {
        self.visitors.retain_mut(|visitor| visitor.tell_growth(size));
    }

    /// What was asked since the last time, but for what is done here.
    pub(super) fn requests(&mut self, log_size: u64) -> Vec<Request> {
        let mut requests = Vec::new();
        self.visitors.retain_mut(|visitor| {
            let mut bytes = [0; 8];
            match visitor.stream.read(&mut bytes) {
                Ok(0) => return false,
                Ok(length) => {
                    requests.extend(bytes[..length].iter().filter_map(|byte| Request::of(*byte)));
                }
                Err(error) => {
                    return matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
                }
            }
            if requests.contains(&Request::Growth) {
                requests.retain(|request| *request != Request::Growth);
                visitor.waits = Waits::ForGrowth;
                return visitor.tell_growth(log_size);
            }
            true
        });
        requests
    }
}

impl Visitor {
    /// Says whether he is still there.
    fn tell_growth(&mut self, size: u64) -> bool {
        if self.waits == Waits::ForChanges || size <= self.told {
            return true;
        }
        (self.waits, self.told) = (Waits::ForChanges, size);
        self.stream.write_all(b"\n").is_ok()
    }
}

fn line(state: &State) -> Vec<u8> {
    let mut line = serde_json::to_vec(state).expect("a state is plain data");
    line.push(b'\n');
    line
}
