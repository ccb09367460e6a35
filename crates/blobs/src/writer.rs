//! A blob on its way into the store: digested while it is written, named only when complete.

use crate::{
    error::BlobError,
    store::{Blobs, sync_dir},
};
use fairway_model::{Digest, Hasher};
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, Read, Write},
};

const CHUNK: usize = 128 << 10;

/// When written bytes survive a power failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Before the writer returns.
    Synced,
    /// When the system writes them back; for what can be made again. Their loss is noticed by size.
    Deferred,
}

/// Takes the bytes of one blob. Dropped before [`BlobWriter::finish`], nothing is stored.
pub struct BlobWriter {
    blobs: Blobs,
    file: File,
    hasher: Hasher,
    size: u64,
    durability: Durability,
}

impl BlobWriter {
    pub(crate) fn new(blobs: Blobs, durability: Durability) -> Result<Self, BlobError> {
        let file = unnamed_file(&blobs)?;
        Ok(Self { blobs, file, hasher: Hasher::new(), size: 0, durability })
    }

    /// Adds all that is left of a reader.
    pub fn copy_from(&mut self, reader: &mut impl Read) -> io::Result<u64> {
        let mut chunk = vec![0; CHUNK];
        let before = self.size;
        loop {
            match reader.read(&mut chunk) {
                Ok(0) => return Ok(self.size - before),
                Ok(length) => self.write_all(&chunk[..length])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts the blob in its place and names it.
    pub fn finish(self) -> Result<Digest, BlobError> {
        let digest = self.hasher.finish();
        let path = self.blobs.path(&digest);
        if self.blobs.size(&digest) == Some(self.size) {
            return Ok(digest);
        }
        if self.durability == Durability::Synced {
            self.file.sync_data().map_err(|error| BlobError::io("sync", &path, error))?;
        }
        self.blobs.adopt(&self.file, &digest, self.size)?;
        if self.durability == Durability::Synced {
            sync_dir(path.parent().expect("a blob's path has a shard above it"))?;
        }
        Ok(digest)
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// An empty file without a name in the store's file system; its time stamps tell the file
/// system's idea of now.
pub(crate) fn unnamed_file(blobs: &Blobs) -> Result<File, BlobError> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match rustix::fs::open(blobs.dir(), flags, Mode::from_raw_mode(0o444)) {
        Ok(file) => Ok(File::from(file)),
        Err(Errno::OPNOTSUPP | Errno::ISDIR) => Err(BlobError::Unsupported(blobs.dir().to_owned())),
        Err(error) => Err(BlobError::io("write to", blobs.dir(), error)),
    }
}
