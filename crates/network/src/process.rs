//! A process that cannot be mistaken for a later one with the same number.

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use std::{fs, io, os::fd::OwnedFd};

/// A process by its number and the moment it started (clock ticks since the machine did).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it started.
    pub start: u64,
}

impl Process {
    /// The calling process.
    pub fn current() -> io::Result<Self> {
        Self::of(std::process::id())
    }

    /// The process that has this number now. One that ended and waits to be collected is an error.
    pub fn of(pid: u32) -> io::Result<Self> {
        let line = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        match parse_stat(&line) {
            Some(start) => Ok(Self { pid, start }),
            None => Err(io::Error::new(io::ErrorKind::NotFound, format!("process {pid} ended"))),
        }
    }

    /// Whether it still runs.
    pub fn is_alive(self) -> bool {
        Self::of(self.pid).is_ok_and(|now| now == self)
    }

    /// A descriptor that becomes readable when it ends.
    pub fn descriptor(self) -> io::Result<OwnedFd> {
        let gone = || io::Error::new(io::ErrorKind::NotFound, "process ended");
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
        let descriptor = pidfd_open(pid, PidfdFlags::empty())?;
        if self.is_alive() { Ok(descriptor) } else { Err(gone()) }
    }

    /// Kills it; one that ended is fine.
    pub(crate) fn kill(self) -> io::Result<()> {
        match self.descriptor() {
            Ok(descriptor) => match pidfd_send_signal(descriptor, Signal::KILL) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
                Err(other) => Err(other.into()),
            },
            Err(_) if !self.is_alive() => Ok(()),
            Err(other) => Err(other),
        }
    }
}

/// The start time in a line of `/proc/PID/stat` (proc(5): field 22), unless the process ended
/// (field 3 is Z or X). The name in field 2 may hold anything, also brackets and blanks.
fn parse_stat(line: &str) -> Option<u64> {
    let (_, rest) = line.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.nth(18)?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_confuse() {
        let line = "7 (a) b) Z) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1";
        assert_eq!(parse_stat(line), Some(4242));
        assert_eq!(parse_stat(&line.replace(") S", ") Z")), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn this_process_is_alive_and_one_that_started_at_another_time_is_not() {
        let me = Process::current().unwrap();
        assert!(me.is_alive());
        assert!(!Process { start: me.start + 1, ..me }.is_alive());
        assert!(Process { start: me.start + 1, ..me }.descriptor().is_err());
    }
}
