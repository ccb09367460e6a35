//! What can go wrong with images and layers.

use fairway_blobs::BlobError;
use fairway_model::Digest;
use rustix::io::Errno;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why an image or layer could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// A manifest or configuration could not be stored or read.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The image is not on this machine.
    #[error("image `{0}` is not here")]
    NoImage(Digest),
    /// A layer of an image is gone.
    #[error("layer `{0}` is not here")]
    NoLayer(Digest),
    /// A blob is not what a manifest or configuration must be.
    #[error("image `{image}` cannot be read: {because}")]
    Image {
        /// The digest of the manifest.
        image: Digest,
        /// What is wrong with it.
        because: String,
    },
    /// More layers than an image can have.
    #[error("an image has at most {limit} layers, this one has {found}")]
    TooManyLayers {
        /// The most layers of an image.
        limit: usize,
        /// How many there are.
        found: usize,
    },
    /// An archive has an entry that is not unpacked.
    #[error("`{path}` in the archive {because}")]
    Entry {
        /// Its path, as written in the archive.
        path: String,
        /// What is wrong with it.
        because: &'static str,
    },
    /// An archive is too large.
    #[error("the archive has more than {limit} {what}")]
    TooLarge {
        /// The limit that it exceeds.
        limit: u64,
        /// Of what.
        what: &'static str,
    },
    /// The directory of a layer is not what its digest names.
    #[error("layer `{0}` is damaged: its files have changed")]
    Damaged(Digest),
    /// No space is left; nothing was kept.
    #[error("the disk that holds `{}` is full", path.display())]
    DiskFull {
        /// What was being written.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
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

impl LayerError {
    pub(crate) fn io(action: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        let (path, source) = (path.to_owned(), source.into());
        match source.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOSPC | Errno::DQUOT) => Self::DiskFull { path, source },
            _ => Self::Io { action, path, source },
        }
    }
}
