//! Reads a log, also while it is written.

use super::{HEADER, Header, Record};
use fairway_engine::{LogEvent, LogLine};
use std::{collections::VecDeque, fs::File, io, os::unix::fs::FileExt, path::Path};

/// How much is read from the file at once.
const CHUNK: usize = 256 << 10;

/// A position in a log.
pub(crate) struct LogReader {
    file: File,
    /// Where `buffer` begins in the file.
    position: u64,
    buffer: Vec<u8>,
    /// How much of `buffer` was used.
    used: usize,
}

impl LogReader {
    /// Opens a log at its start.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self { file, position: 0, buffer: Vec::new(), used: 0 })
    }

    /// The next event; `None` if it is not written yet. [`LogEvent::Cut`] is the last one and is
    /// read again each time, with what was dropped until then.
    pub(crate) fn next(&mut self) -> io::Result<Option<LogEvent>> {
        let Some(header) = self.peek(0, HEADER)? else { return Ok(None) };
        let header = header.try_into().ok().and_then(Header::decode).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "the log is not in its form")
        })?;
        match header.record {
            Record::Line(stream) => {
                let Some(text) = self.peek(HEADER, header.length)? else { return Ok(None) };
                let line = LogLine { at: header.at, stream, text: text.to_vec() };
                self.used += HEADER + header.length;
                Ok(Some(LogEvent::Line(line)))
            }
            Record::Cut => {
                let mut dropped = [0; 8];
                let at = self.position + (self.used + HEADER) as u64;
                match self.file.read_exact_at(&mut dropped, at) {
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                    read => read?,
                }
                Ok(Some(LogEvent::Cut { dropped: u64::from_le_bytes(dropped) }))
            }
        }
    }

    /// Everything that is there, of the lines only the last.
    pub(crate) fn last(&mut self, lines: usize) -> io::Result<Vec<LogEvent>> {
        let mut kept = VecDeque::new();
        while let Some(event) = self.next()? {
            let is_end = matches!(event, LogEvent::Cut { .. });
            kept.push_back(event);
            if is_end {
                break;
            }
            if kept.len() > lines {
                kept.pop_front();
            }
        }
        if kept.len() > lines && matches!(kept.back(), Some(LogEvent::Cut { .. })) {
            kept.drain(..kept.len() - lines - 1);
        }
        Ok(kept.into())
    }

    /// Bytes from the current position on, if they are all there.
    fn peek(&mut self, offset: usize, length: usize) -> io::Result<Option<&[u8]>> {
        let end = self.used + offset + length;
        if end > self.buffer.len() {
            self.fill(offset + length)?;
        }
        let start = self.used + offset;
        Ok(self.buffer.get(start..start + length))
    }

    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        self.buffer.drain(..self.used);
        self.position += self.used as u64;
        self.used = 0;
        while self.buffer.len() < wanted {
            let length = self.buffer.len();
            self.buffer.resize(length + CHUNK, 0);
            let at = self.position + length as u64;
            let read = self.file.read_at(&mut self.buffer[length..], at)?;
            self.buffer.truncate(length + read);
            if read == 0 {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::LogWriter;
    use fairway_engine::LogStream::{self, Stderr, Stdout};
    use fairway_model::{ByteSize, Timestamp};

    fn written(limit: u64, parts: &[(LogStream, &[u8])]) -> LogReader {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut writer = LogWriter::create(&path, ByteSize(limit)).unwrap();
        for (at, (stream, bytes)) in parts.iter().enumerate() {
            writer.take(*stream, bytes, Timestamp(at as u64)).unwrap();
        }
        writer.finish(Timestamp(99)).unwrap();
        LogReader::open(&path).unwrap()
    }

    fn line(at: u64, stream: LogStream, text: &[u8]) -> LogEvent {
        LogEvent::Line(LogLine { at: Timestamp(at), stream, text: text.to_vec() })
    }

    fn all(reader: &mut LogReader) -> Vec<LogEvent> {
        reader.last(usize::MAX - 1).unwrap()
    }

    #[test]
    fn lines_are_put_together_per_stream() {
        let parts: &[(_, &[u8])] =
            &[(Stdout, b"one\ntw"), (Stderr, b"oops"), (Stdout, b"o\n\n"), (Stderr, b"!")];
        let lines = [
            line(0, Stdout, b"one"),
            line(2, Stdout, b"two"),
            line(2, Stdout, b""),
            line(99, Stderr, b"oops!"),
        ];
        assert_eq!(all(&mut written(10_000, parts)), lines);
        assert_eq!(written(10_000, parts).last(2).unwrap(), lines[2..]);
    }

    #[test]
    fn a_long_line_comes_in_pieces() {
        let long = vec![b'x'; (16 << 10) + 5];
        let lines = all(&mut written(1 << 20, &[(Stdout, &long)]));
        let lengths: Vec<_> = lines
            .iter()
            .map(|event| match event {
                LogEvent::Line(line) => line.text.len(),
                LogEvent::Cut { .. } => 0,
            })
            .collect();
        assert_eq!(lengths, [16 << 10, 5]);
    }

    #[test]
    fn after_the_limit_bytes_are_counted() {
        let mut reader = written(60, &[(Stdout, b"first\nsecond\n"), (Stdout, b"third line\nx\n")]);
        let lines = [line(0, Stdout, b"first"), line(0, Stdout, b"second")];
        let events = all(&mut reader);
        assert_eq!(events[..2], lines);
        assert!(matches!(events[2], LogEvent::Cut { dropped: 10..=13 }), "{events:?}");
        assert_eq!(
            written(60, &[(Stdout, b"a\nb\n"), (Stdout, &[b'\n'; 90])]).last(1).unwrap().len(),
            2
        );
    }
}
