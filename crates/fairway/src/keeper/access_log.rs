//! The access log of a gateway on disk: a JSON line per request, in two files of bounded size.

use fairway_gateway::{AccessRecord, AccessRecords};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// After so many bytes a file becomes the old one, and the old one goes.
const BYTES_MAX: u64 = 64 << 20;
/// How many records are written at a time.
const BATCH: usize = 256;

/// Writes records until the gateway is gone. Records that the disk does not take are lost: a log
/// never makes a request fail.
pub async fn keep(mut records: AccessRecords, path: PathBuf) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut file = None;
    while records.receive(&mut batch, BATCH).await > 0 {
        if file.is_none() {
            file = LogFile::open(&path).ok();
        }
        if file.as_mut().is_some_and(|file| file.write(&batch).is_err()) {
            file = None;
        }
        batch.clear();
    }
}

struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, bytes })
    }

    fn write(&mut self, batch: &[AccessRecord]) -> io::Result<()> {
        let mut text = Vec::new();
        for record in batch {
            serde_json::to_writer(&mut text, record)?;
            text.push(b'\n');
        }
        if self.bytes + text.len() as u64 > BYTES_MAX {
            fs::rename(&self.path, self.path.with_extension("log.old"))?;
            *self = Self::open(&self.path)?;
        }
        self.bytes += text.len() as u64;
        self.file.write_all(&text)
    }
}
