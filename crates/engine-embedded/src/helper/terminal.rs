//! A terminal between a person and a command in a container: one of the container's own, whose
//! other end is joined to the asker's.

use super::in_root::InRoot;
use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{Gid, OFlags, Uid, fchown},
    io::Errno,
    pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt},
    stdio,
    termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize},
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

/// How much is passed on at once.
const CHUNK: usize = 16 << 10;

/// The asker's end of a terminal in a container.
pub(super) struct Terminal {
    master: OwnedFd,
}

impl Terminal {
    /// Opens a new terminal of a container for a user; gives the command's end too.
    pub(super) fn open(container: &InRoot, uid: u32) -> io::Result<(Self, OwnedFd)> {
        let master = container.at(Path::new("/dev/pts/ptmx"), OFlags::RDWR | OFlags::NOCTTY)?;
        unlockpt(&master)?;
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let command = ioctl_tiocgptpeer(&master, flags)?;
        fchown(&command, Some(Uid::from_raw(uid)), None::<Gid>)?;
        let terminal = Self { master };
        terminal.take_over_size();
        Ok((terminal, command))
    }

    /// Passes everything on both ways until the command has ended, which makes `process` readable.
    pub(super) fn join(&self, process: &OwnedFd) -> io::Result<()> {
        let _raw = Raw::enter(stdio::stdin())?;
        let mut resized = SigSet::empty();
        resized.add(Signal::SIGWINCH);
        resized.thread_block()?;
        let sizes = SignalFd::with_flags(&resized, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        let mut keyboard = PollFlags::IN;
        loop {
            let mut polled = [
                PollFd::new(&self.master, PollFlags::IN),
                PollFd::from_borrowed_fd(stdio::stdin(), keyboard),
                PollFd::from_borrowed_fd(sizes.as_fd(), PollFlags::IN),
                PollFd::new(process, PollFlags::IN),
            ];
            match poll(&mut polled, None) {
                Err(Errno::INTR) => continue,
                polled => polled?,
            };
            let [output, input, resize, ended] = polled.map(|polled| !polled.revents().is_empty());
            if resize && sizes.read_signal()?.is_some() {
                self.take_over_size();
            }
            if input && pass(stdio::stdin(), self.master.as_fd())? == Passed::End {
                keyboard = PollFlags::empty();
            }
            if output && pass(self.master.as_fd(), stdio::stdout())? == Passed::End {
                return Ok(());
            }
            if ended && !output {
                return Ok(());
            }
        }
    }

    /// A terminal without a size is as good as one that cannot be given it.
    fn take_over_size(&self) {
        let size = tcgetwinsize(stdio::stdin());
        size.and_then(|size| tcsetwinsize(&self.master, size)).unwrap_or_default();
    }
}

#[derive(PartialEq, Eq)]
enum Passed {
    Some,
    End,
}

/// Passes on what is there.
fn pass(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> io::Result<Passed> {
    let mut buffer = [0; CHUNK];
    let length = match rustix::io::read(from, &mut buffer) {
        // A terminal whose other end is closed says so by an error.
        Ok(0) | Err(Errno::IO) => return Ok(Passed::End),
        Err(Errno::INTR | Errno::AGAIN) => return Ok(Passed::Some),
        read => read?,
    };
    let mut rest = &buffer[..length];
    while !rest.is_empty() {
        let written = rustix::io::retry_on_intr(|| rustix::io::write(to, rest))?;
        rest = &rest[written..];
    }
    Ok(Passed::Some)
}

/// The asker's terminal while it passes on every key.
struct Raw {
    before: Termios,
}

impl Raw {
    fn enter(terminal: BorrowedFd<'_>) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(terminal, OptionalActions::Flush, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        tcsetattr(stdio::stdin(), OptionalActions::Flush, &self.before).unwrap_or_default();
    }
}
