//! The directory of blobs. It never removes a blob and never overwrites a whole one.

use crate::{
    error::BlobError,
    writer::{BlobWriter, Durability},
};
use fairway_model::{Digest, Hasher};
use rustix::io::Errno;
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Bytes named by their digest, kept in a directory as `sha256/ab/abcdef..`. Cheap to clone; any
/// number of processes may use one directory at once.
#[derive(Debug, Clone)]
pub struct Blobs {
    dir: Arc<Path>,
}

impl Blobs {
    /// Opens the store in a directory, which is made if it is not there.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, BlobError> {
        let dir = dir.into();
        fs::create_dir_all(dir.join("sha256"))
            .map_err(|error| BlobError::io("create", &dir, error))?;
        Ok(Self { dir: dir.into() })
    }

    /// Stores bytes; they are on disk when this returns.
    pub fn put(&self, bytes: impl AsRef<[u8]>) -> Result<Digest, BlobError> {
        self.put_with(bytes.as_ref(), Durability::Synced)
    }

    /// Stores a copy of a file; it is on disk when this returns.
    pub fn put_file(&self, path: &Path) -> Result<Digest, BlobError> {
        let mut file = File::open(path).map_err(|error| BlobError::io("open", path, error))?;
        let mut writer = self.writer()?;
        writer.copy_from(&mut file).map_err(|error| BlobError::io("copy", path, error))?;
        writer.finish()
    }

    /// Starts a blob of unknown length. Dropped unfinished, it leaves nothing behind.
    pub fn writer(&self) -> Result<BlobWriter, BlobError> {
        BlobWriter::new(self.clone(), Durability::Synced)
    }

    /// Reads a whole blob of at most `limit` bytes and checks it against its digest.
    pub fn get(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, BlobError> {
        let mut file = self.open_blob(digest)?;
        let mut bytes = Vec::new();
        let read = Read::by_ref(&mut file).take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|error| BlobError::io("read", &self.path(digest), error))?;
        if bytes.len() as u64 > limit {
            return Err(BlobError::TooLarge { digest: *digest, limit });
        }
        if Digest::of(&bytes) == *digest { Ok(bytes) } else { Err(BlobError::Damaged(*digest)) }
    }

    /// Opens a blob to read or copy from, without checking it.
    pub fn open_blob(&self, digest: &Digest) -> Result<File, BlobError> {
        let path = self.path(digest);
        File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BlobError::Missing(*digest),
            _ => BlobError::io("open", &path, error),
        })
    }

    /// Reads a blob through and compares it with its digest.
    pub fn verify(&self, digest: &Digest) -> Result<(), BlobError> {
        let mut hasher = Hasher::new();
        io::copy(&mut self.open_blob(digest)?, &mut hasher)
            .map_err(|error| BlobError::io("read", &self.path(digest), error))?;
        if hasher.finish() == *digest { Ok(()) } else { Err(BlobError::Damaged(*digest)) }
    }

    /// Where a blob is or would be. Readers only: who writes there damages it.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        let mut path = self.dir.join("sha256");
        path.push(&hex[..2]);
        path.push(hex);
        path
    }

    /// Whether a blob is there.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.size(digest).is_some()
    }

    /// The number of bytes of a blob, if it is there.
    pub fn size(&self, digest: &Digest) -> Option<u64> {
        fs::metadata(self.path(digest)).ok().map(|found| found.len())
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn put_with(
        &self,
        bytes: &[u8],
        durability: Durability,
    ) -> Result<Digest, BlobError> {
        let digest = Digest::of(bytes);
        if self.size(&digest) == Some(bytes.len() as u64) {
            return Ok(digest);
        }
        let mut writer = BlobWriter::new(self.clone(), durability)?;
        writer.write_all(bytes).map_err(|error| BlobError::io("write", &self.dir, error))?;
        writer.finish()
    }

    /// Gives a complete unnamed file its name. A blob that is shorter or longer than it should be
    /// (a power failure can do that) is replaced.
    pub(crate) fn adopt(&self, file: &File, digest: &Digest, size: u64) -> Result<(), BlobError> {
        let path = self.path(digest);
        let shard = path.parent().expect("a blob's path has a shard above it");
        loop {
            match link(file, &path) {
                Ok(()) => return Ok(()),
                Err(Errno::NOENT) => make_shard(shard)?,
                Err(Errno::EXIST) if self.size(digest) == Some(size) => return Ok(()),
                Err(Errno::EXIST) => remove_if_there(&path)?,
                Err(error) => return Err(BlobError::io("create", &path, error)),
            }
        }
    }
}

fn link(file: &File, path: &Path) -> Result<(), Errno> {
    use rustix::fs::{AtFlags, CWD, linkat};
    use std::os::fd::AsRawFd;
    let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
    linkat(CWD, unnamed, CWD, path, AtFlags::SYMLINK_FOLLOW)
}

fn make_shard(shard: &Path) -> Result<(), BlobError> {
    fs::create_dir_all(shard).map_err(|error| BlobError::io("create", shard, error))?;
    match shard.parent() {
        Some(parent) => sync_dir(parent),
        None => Ok(()),
    }
}

fn remove_if_there(path: &Path) -> Result<(), BlobError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(BlobError::io("remove", path, error))
        }
        _ => Ok(()),
    }
}

pub(crate) fn sync_dir(dir: &Path) -> Result<(), BlobError> {
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(|error| BlobError::io("sync", dir, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Blobs) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let blobs = Blobs::open(dir.path().join("blobs")).expect("a store");
        (dir, blobs)
    }

    #[test]
    fn what_is_put_is_found_by_its_digest() {
        let (dir, blobs) = store();
        let digest = blobs.put(b"fairway").unwrap();
        assert_eq!(digest, Digest::of(b"fairway"));
        assert_eq!(blobs.put(b"fairway").unwrap(), digest);
        assert_eq!(blobs.get(&digest, 7).unwrap(), b"fairway");
        assert_eq!(blobs.size(&digest), Some(7));
        let file = dir.path().join("file");
        fs::write(&file, b"fairway").unwrap();
        assert_eq!(blobs.put_file(&file).unwrap(), digest);
        blobs.verify(&digest).unwrap();
    }

    #[test]
    fn a_missing_a_large_and_a_damaged_blob_are_told_apart() {
        let (_dir, blobs) = store();
        let digest = blobs.put(b"fairway").unwrap();
        assert!(matches!(blobs.get(&Digest::of(b""), 1), Err(BlobError::Missing(_))));
        assert!(matches!(blobs.get(&digest, 6), Err(BlobError::TooLarge { .. })));
        fs::remove_file(blobs.path(&digest)).unwrap();
        fs::write(blobs.path(&digest), b"fairwax").unwrap();
        assert!(matches!(blobs.get(&digest, 7), Err(BlobError::Damaged(_))));
        assert!(matches!(blobs.verify(&digest), Err(BlobError::Damaged(_))));
    }

    #[test]
    fn a_truncated_blob_is_replaced_by_the_next_put() {
        let (_dir, blobs) = store();
        let digest = blobs.put(b"fairway").unwrap();
        fs::remove_file(blobs.path(&digest)).unwrap();
        fs::write(blobs.path(&digest), b"").unwrap();
        blobs.put(b"fairway").unwrap();
        blobs.verify(&digest).unwrap();
    }

    #[test]
    fn an_unfinished_blob_leaves_nothing() {
        let (dir, blobs) = store();
        let mut writer = blobs.writer().unwrap();
        writer.write_all(&vec![7; 1 << 20]).unwrap();
        drop(writer);
        let left = fs::read_dir(dir.path().join("blobs/sha256")).unwrap().count();
        assert_eq!(left, 0);
    }
}
