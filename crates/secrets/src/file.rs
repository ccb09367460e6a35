//! Small files that only their owner can read, replaced whole and synced to disk.

use crate::error::SecretError;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Most bytes of a file that is read.
const FILE_MAX: u64 = 64 << 20;

/// Reads a file; `None` if it is not there.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, SecretError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        result => result.map_err(SecretError::io("open", path))?,
    };
    let mut bytes = Vec::new();
    file.take(FILE_MAX).read_to_end(&mut bytes).map_err(SecretError::io("read", path))?;
    Ok(Some(bytes))
}

/// Replaces a file at once. To be called under the lock of the directory.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), SecretError> {
    let new = path.with_extension("new");
    let written = write(&new, bytes).and_then(|()| fs::rename(&new, path));
    written.map_err(SecretError::io("write", path))?;
    let dir = path.parent().expect("a file of the store is in its directory");
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(SecretError::io("sync", dir))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private().truncate(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Takes the lock of a directory, which is free again when the file is dropped or the process ends.
pub(crate) fn lock(dir: &Path) -> Result<File, SecretError> {
    let path = dir.join("lock");
    let file = private().open(&path).map_err(SecretError::io("open", &path))?;
    file.lock().map_err(SecretError::io("lock", &path))?;
    Ok(file)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}
