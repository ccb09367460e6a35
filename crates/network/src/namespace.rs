//! Network namespaces as open files.

use nix::sched::{CloneFlags, setns};
use std::{
    fs::File,
    io,
    os::fd::{AsRawFd, RawFd},
    os::unix::fs::MetadataExt,
    path::PathBuf,
};

/// A network namespace. It lives at least as long as this value.
#[derive(Debug)]
pub(crate) struct Namespace(File);

impl Namespace {
    /// The namespace of the calling thread.
    pub(crate) fn current() -> io::Result<Self> {
        File::open("/proc/thread-self/ns/net").map(Self)
    }

    /// The namespace of a process.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        File::open(format!("/proc/{pid}/ns/net")).map(Self)
    }

    /// The number the kernel knows it by.
    pub(crate) fn id(&self) -> io::Result<u64> {
        self.0.metadata().map(|meta| meta.ino())
    }

    /// For requests that name a namespace by descriptor.
    pub(crate) fn raw(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    /// Where other processes find it as long as this one has it open.
    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd()))
    }

    /// Moves the calling thread in for as long as `work` takes. Sockets opened and processes
    /// started there stay there.
    pub(crate) fn enter<T>(&self, work: impl FnOnce() -> T) -> io::Result<T> {
        let _back = Return(Self::current()?);
        setns(&self.0, CloneFlags::CLONE_NEWNET)?;
        Ok(work())
    }
}

/// Brings the thread back where it came from, also when the work panics.
struct Return(Namespace);

impl Drop for Return {
    fn drop(&mut self) {
        if setns(&self.0.0, CloneFlags::CLONE_NEWNET).is_err() {
            // A thread in the wrong namespace would connect to the wrong places.
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sched::unshare;

    #[test]
    fn a_thread_comes_back_also_after_a_panic() {
        let home = Namespace::current().unwrap().id().unwrap();
        let other = std::thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            Namespace::current().unwrap()
        });
        let other = other.join().unwrap();
        let seen = other.enter(|| Namespace::current().unwrap().id().unwrap()).unwrap();
        assert_eq!(seen, other.id().unwrap());
        assert!(std::panic::catch_unwind(|| other.enter(|| panic!("on purpose"))).is_err());
        assert_eq!(Namespace::current().unwrap().id().unwrap(), home);
    }
}
