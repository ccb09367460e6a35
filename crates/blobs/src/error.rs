//! What can go wrong with blobs and trees.

use crate::tree_path::{PathError, TreePath};
use fairway_model::{Digest, TreeDigest};
use rustix::io::Errno;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why bytes could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No blob has this digest.
    #[error("blob `{0}` is not in the store")]
    Missing(Digest),
    /// The blob is larger than the reader allows.
    #[error("blob `{digest}` has more than {limit} bytes")]
    TooLarge {
        /// The blob that was asked for.
        digest: Digest,
        /// The most bytes that the reader takes.
        limit: u64,
    },
    /// The stored bytes are not those that the digest names.
    #[error("blob `{0}` is damaged: its bytes have another digest")]
    Damaged(Digest),
    /// No space is left; nothing was stored.
    #[error("the disk that holds `{}` is full", path.display())]
    DiskFull {
        /// What was being written.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The file system cannot make unnamed files (`O_TMPFILE`).
    #[error("the file system of `{}` cannot hold blobs; use ext4, xfs, btrfs or tmpfs", .0.display())]
    Unsupported(PathBuf),
    /// Another failure of the file system.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// The verb of what failed.
        action: &'static str,
        /// What it failed on.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl BlobError {
    pub(crate) fn io(action: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        let (path, source) = (path.to_owned(), source.into());
        match source.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOSPC | Errno::DQUOT) => Self::DiskFull { path, source },
            _ => Self::Io { action, path, source },
        }
    }
}

/// Why a file tree could not be captured, read or written.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The bytes below the tree could not be stored or read.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The blob is not a manifest, or not one that is written in the only way allowed.
    #[error("`{tree}` is not a file tree: {because}")]
    Manifest {
        /// The digest that was to be read.
        tree: TreeDigest,
        /// What is wrong with it.
        because: String,
    },
    /// A path that a tree cannot hold.
    #[error("`{}` cannot be part of a file tree", path.display())]
    Path {
        /// The path as found.
        path: PathBuf,
        /// Which rule it breaks.
        source: PathError,
    },
    /// A path whose parent is no directory of the tree, or that is there twice.
    #[error("`{0}` has no directory above it, or is there twice")]
    Misplaced(TreePath),
    /// A link whose target is empty, too long or has a NUL byte.
    #[error("the link `{0}` leads nowhere: its target is empty, too long or has a NUL byte")]
    Link(TreePath),
    /// More entries than a tree can have.
    #[error("a file tree has at most {limit} entries")]
    TooMany {
        /// The most entries allowed.
        limit: usize,
    },
    /// A file was written to each time it was read.
    #[error("`{}` changes while it is being read", .0.display())]
    Changing(PathBuf),
    /// Another failure of the file system.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// The verb of what failed.
        action: &'static str,
        /// What it failed on.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl TreeError {
    pub(crate) fn io(action: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        match BlobError::io(action, path, source) {
            BlobError::Io { action, path, source } => Self::Io { action, path, source },
            full => Self::Blob(full),
        }
    }
}
