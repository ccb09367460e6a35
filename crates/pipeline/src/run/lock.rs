//! The lock that the driver of a run holds. The kernel releases it however the driver ends.

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use std::{
    fs,
    io::{
        self,
        ErrorKind::{DirectoryNotEmpty, NotFound},
    },
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

/// A lock that is held as long as this lives.
#[derive(Debug)]
pub(crate) struct RunLock {
    _file: OwnedFd,
    path: PathBuf,
}

impl RunLock {
    /// Takes the lock in a run's folder; none if somebody else has it.
    pub(crate) fn take(folder: &Path) -> io::Result<Option<Self>> {
        fs::create_dir_all(folder)?;
        let path = folder.join("lock");
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = rustix::fs::open(&path, flags, Mode::from_raw_mode(0o600))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(is_named(&file, &path)?.then_some(Self { _file: file, path })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether somebody has the lock in a run's folder.
    pub(crate) fn is_held(folder: &Path) -> bool {
        let path = folder.join("lock");
        let Ok(file) = rustix::fs::open(&path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        else {
            return false;
        };
        flock(&file, FlockOperation::NonBlockingLockShared).is_err()
    }

    /// Releases the lock of a run that ended and removes the folder if nothing else is in it.
    pub(crate) fn finish(self) -> io::Result<()> {
        let folder = self.path.parent().expect("the lock is in a folder");
        unless(&[NotFound], fs::remove_file(&self.path))?;
        unless(&[NotFound, DirectoryNotEmpty], fs::remove_dir(folder))
    }
}

/// Forgives some kinds of error.
fn unless(forgiven: &[io::ErrorKind], result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if forgiven.contains(&error.kind()) { Ok(()) } else { Err(error) })
}

/// Whether a file still has its name; who ended a run removed its lock.
fn is_named(file: &OwnedFd, path: &Path) -> io::Result<bool> {
    let held = rustix::fs::fstat(file)?;
    match rustix::fs::stat(path) {
        Ok(named) => Ok((named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)),
        Err(rustix::io::Errno::NOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_holds_the_lock_and_an_ended_run_leaves_no_folder() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("7");
        assert!(!RunLock::is_held(&folder));
        let lock = RunLock::take(&folder).unwrap().unwrap();
        assert!(RunLock::is_held(&folder));
        assert!(RunLock::take(&folder).unwrap().is_none());
        lock.finish().unwrap();
        assert!(!folder.exists());
    }
}
