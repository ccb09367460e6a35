//! Processes that are known beyond a restart of whoever started them.

use fairway_engine::EngineError;
use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, PidfdFlags, pidfd_open},
    time::Timespec,
};
use serde::{Deserialize, Serialize};
use std::{fs, os::fd::OwnedFd, time::Duration};

/// One process of the current boot: its number may be used again, its start time may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    /// Its number.
    pub(crate) pid: u32,
    /// Clock ticks from boot to its start (proc(5), `/proc/pid/stat`, field 22).
    started: u64,
}

impl ProcessId {
    /// This process.
    pub(crate) fn own() -> Result<Self, EngineError> {
        Self::of(std::process::id())
            .ok_or_else(|| EngineError::Broken("/proc does not show this process".to_owned()))
    }

    /// A process that runs, by its number.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields = &stat[stat.rfind(')')? + 1..];
        let mut fields = fields.split_ascii_whitespace();
        let state = fields.next()?;
        let started = fields.nth(18)?.parse().ok()?;
        (state != "Z" && state != "X").then_some(Self { pid, started })
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&self) -> bool {
        Self::of(self.pid) == Some(*self)
    }

    /// A handle that becomes readable when it ends; `None` if it ended already.
    pub(crate) fn watch(&self) -> Option<OwnedFd> {
        let handle = pidfd_open(self.number(), PidfdFlags::empty()).ok()?;
        self.is_alive().then_some(handle)
    }

    /// Waits for its end for a while; says whether it came.
    pub(crate) fn ends_within(&self, patience: Duration) -> bool {
        let Some(handle) = self.watch() else { return true };
        let mut polled = [PollFd::new(&handle, PollFlags::IN)];
        let patience = Timespec::try_from(patience).ok();
        poll(&mut polled, patience.as_ref()).is_ok_and(|ended| ended > 0) || !self.is_alive()
    }

    /// Its number as the kernel interface takes it.
    pub(crate) fn number(&self) -> Pid {
        i32::try_from(self.pid)
            .ok()
            .and_then(Pid::from_raw)
            .expect("the number of a process is positive and fits 31 bits")
    }
}

/// The id that the kernel gave to this boot of the machine.
pub(crate) fn boot_id() -> Result<String, EngineError> {
    let path = "/proc/sys/kernel/random/boot_id";
    let id = fs::read_to_string(path).map_err(EngineError::io(format!("read `{path}`")))?;
    Ok(id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_process_is_alive_until_it_is_reaped() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let id = ProcessId::of(child.id()).unwrap();
        assert!(id.is_alive());
        assert!(id.watch().is_some());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!id.is_alive());
        assert!(id.watch().is_none());
    }
}
