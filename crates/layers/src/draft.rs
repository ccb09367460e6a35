//! A layer that is being made: two directories for an overlay mount, gone when dropped.

use crate::error::LayerError;
use rustix::fs::{FlockOperation, Mode, OFlags};
use std::{
    fs, io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Files on their way to becoming a layer. Dropped before it is committed, it is removed; if its
/// process is killed, the next sweep removes it.
#[derive(Debug)]
pub struct Draft {
    dir: PathBuf,
    /// Held locked, so that the sweep leaves the draft alone.
    _lock: OwnedFd,
}

impl Draft {
    pub(crate) fn new(drafts: &Path) -> Result<Self, LayerError> {
        let _gate = gate(drafts, FlockOperation::LockShared)?;
        let dir = create_unique(drafts)?;
        let lock = open_dir(&dir)?;
        rustix::fs::flock(&lock, FlockOperation::LockExclusive)
            .map_err(|error| LayerError::io("lock", &dir, error))?;
        let draft = Self { dir, _lock: lock };
        let create =
            |dir: PathBuf| fs::create_dir(&dir).map_err(|e| LayerError::io("create", &dir, e));
        create(draft.upper())?;
        create(draft.work())?;
        Ok(draft)
    }

    /// The files of the layer, as overlayfs keeps them in an upper directory.
    pub fn upper(&self) -> PathBuf {
        self.dir.join("upper")
    }

    /// What overlayfs needs beside the upper directory.
    pub fn work(&self) -> PathBuf {
        self.dir.join("work")
    }

    /// A free path for a mount point.
    pub fn mount_point(&self) -> PathBuf {
        self.dir.join("merged")
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the sweep, which finds its lock free.
        drop(fs::remove_dir_all(&self.dir));
    }
}

/// A new directory. Process ids are not unique across containers, so a name may be taken.
fn create_unique(drafts: &Path) -> Result<PathBuf, LayerError> {
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = drafts.join(format!("{}-{number}", std::process::id()));
        match fs::create_dir(&dir) {
            Ok(()) => return Ok(dir),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(LayerError::io("create", &dir, error)),
        }
    }
}

/// Removes drafts whose processes are gone.
pub(crate) fn sweep(drafts: &Path) -> Result<(), LayerError> {
    let _gate = gate(drafts, FlockOperation::LockExclusive)?;
    let found = fs::read_dir(drafts).map_err(|error| LayerError::io("read", drafts, error))?;
    for entry in found {
        let dir = entry.map_err(|error| LayerError::io("read", drafts, error))?.path();
        if !dir.is_dir() {
            continue;
        }
        let lock = open_dir(&dir)?;
        if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            // A process of a build that was killed may still write here; the next sweep removes it.
            drop(fs::remove_dir_all(&dir));
        }
    }
    Ok(())
}

/// Keeps the sweep from seeing a draft between its creation and its lock.
fn gate(drafts: &Path, operation: FlockOperation) -> Result<OwnedFd, LayerError> {
    let gate = open_dir(drafts)?;
    rustix::fs::flock(&gate, operation).map_err(|error| LayerError::io("lock", drafts, error))?;
    Ok(gate)
}

fn open_dir(dir: &Path) -> Result<OwnedFd, LayerError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(dir, flags, Mode::empty()).map_err(|error| LayerError::io("open", dir, error))
}

pub(crate) fn remove_tree(dir: &Path) -> Result<(), LayerError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LayerError::io("remove", dir, error))
        }
        _ => Ok(()),
    }
}
