//! Writes a container's output to its log.

use super::{HEADER, Header, LINE_MAX, Record};
use fairway_engine::LogStream;
use fairway_model::{ByteSize, Timestamp};
use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

/// A log that is being written. After its limit it only counts.
pub(crate) struct LogWriter {
    file: File,
    /// Bytes in the file.
    written: u64,
    limit: u64,
    kept: Kept,
    /// Lines that have not ended yet, of standard output and standard error.
    open: [Vec<u8>; 2],
    /// Records that are written together.
    batch: Vec<u8>,
}

/// Whether all is kept so far.
enum Kept {
    All,
    /// Where the number of dropped bytes stands in the file, and that number.
    UpTo {
        position: u64,
        dropped: u64,
    },
}

impl LogWriter {
    /// Starts an empty log.
    pub(crate) fn create(path: &Path, limit: ByteSize) -> io::Result<Self> {
        let file = File::create(path)?;
        let (open, batch) = Default::default();
        Ok(Self { file, written: 0, limit: limit.0, kept: Kept::All, open, batch })
    }

    /// How much is written.
    pub(crate) fn size(&self) -> u64 {
        self.written
    }

    /// Takes what was read from a stream.
    pub(crate) fn take(
        &mut self,
        stream: LogStream,
        mut bytes: &[u8],
        at: Timestamp,
    ) -> io::Result<()> {
        while !bytes.is_empty() && matches!(self.kept, Kept::All) {
            let open = &mut self.open[slot(stream)];
            let room = LINE_MAX - open.len();
            let piece = &bytes[..bytes.len().min(room)];
            let end = piece.iter().position(|byte| *byte == b'\n');
            open.extend_from_slice(&piece[..end.unwrap_or(piece.len())]);
            bytes = &bytes[end.map_or(piece.len(), |end| end + 1)..];
            if end.is_some() || open.len() == LINE_MAX {
                self.end_line(stream, at);
            }
        }
        if !bytes.is_empty() {
            self.drop_bytes(bytes.len());
        }
        self.flush()
    }

    /// Writes what has no line feed yet; to be called when the streams have ended.
    pub(crate) fn finish(&mut self, at: Timestamp) -> io::Result<()> {
        for stream in [LogStream::Stdout, LogStream::Stderr] {
            if !self.open[slot(stream)].is_empty() {
                self.end_line(stream, at);
            }
        }
        self.flush()
    }

    fn end_line(&mut self, stream: LogStream, at: Timestamp) {
        let text = std::mem::take(&mut self.open[slot(stream)]);
        let size = self.written + (self.batch.len() + HEADER + text.len()) as u64;
        if matches!(self.kept, Kept::UpTo { .. }) || size > self.limit {
            self.drop_bytes(text.len());
            return;
        }
        let header = Header { record: Record::Line(stream), length: text.len(), at };
        self.batch.extend_from_slice(&header.encode());
        self.batch.extend_from_slice(&text);
        self.open[slot(stream)] = text;
        self.open[slot(stream)].clear();
    }

    fn drop_bytes(&mut self, count: usize) {
        if let Kept::All = self.kept {
            let header = Header { record: Record::Cut, length: 8, at: crate::state::now() };
            self.batch.extend_from_slice(&header.encode());
            let position = self.written + self.batch.len() as u64;
            self.batch.extend_from_slice(&[0; 8]);
            self.kept = Kept::UpTo { position, dropped: 0 };
        }
        if let Kept::UpTo { dropped, .. } = &mut self.kept {
            *dropped += count as u64;
        }
    }

    /// Writes what is due. What cannot be written, as on a full disk, is lost to the log and not to
    /// the container: its place is taken by what comes next.
    fn flush(&mut self) -> io::Result<()> {
        let batch = std::mem::take(&mut self.batch);
        if !batch.is_empty() {
            self.file.write_all_at(&batch, self.written)?;
            self.written += batch.len() as u64;
        }
        if let Kept::UpTo { position, dropped } = self.kept {
            self.file.write_all_at(&dropped.to_le_bytes(), position)?;
        }
        Ok(())
    }
}

fn slot(stream: LogStream) -> usize {
    match stream {
        LogStream::Stdout => 0,
        LogStream::Stderr => 1,
    }
}
