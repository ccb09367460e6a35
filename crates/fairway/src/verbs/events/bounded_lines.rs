//! Lines of a file or of standard input, none longer than a limit.

use crate::{
    app::App,
    failure::{Doing, Failure},
};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

/// Longest line in bytes: an event of the largest size, whatever form its data have.
pub const LINE_BYTES_MAX: u64 = 8 << 20;
/// Stands for standard input or output where a file is named.
pub const STANDARD: &str = "-";

/// Lines with their numbers, counted from 1. Blank ones are left out.
pub struct BoundedLines {
    name: String,
    input: Box<dyn BufRead>,
    number: u64,
    /// How many bytes were read.
    pub bytes: u64,
    /// How many bytes there are, if that is known.
    pub size: Option<u64>,
}

impl BoundedLines {
    /// The lines of a file below the folder that a verb works in; `-` is standard input.
    pub fn open(app: &App, path: &Path) -> Result<Self, Failure> {
        if path == Path::new(STANDARD) {
            return Ok(Self::of("standard input", io::stdin().lock(), None));
        }
        let name = format!("`{}`", path.display());
        let file = File::open(app.directory.join(path)).doing(format!("open {name}"))?;
        let size = file.metadata().doing(format!("look at {name}"))?.len();
        Ok(Self::of(&name, BufReader::new(file), Some(size)))
    }

    fn of(name: &str, input: impl BufRead + 'static, size: Option<u64>) -> Self {
        Self { name: name.to_owned(), input: Box::new(input), number: 0, bytes: 0, size }
    }

    /// The next line that is not blank, and its number.
    pub fn next(&mut self) -> Result<Option<(u64, Vec<u8>)>, Failure> {
        loop {
            let mut line = Vec::new();
            let mut limited = (&mut self.input).take(LINE_BYTES_MAX + 1);
            let read = limited.read_until(b'\n', &mut line);
            let read = read.doing(format!("read {}", self.name))? as u64;
            self.number += 1;
            self.bytes += read;
            if read == 0 {
                return Ok(None);
            }
            if read > LINE_BYTES_MAX {
                let message = format!("it has more than {LINE_BYTES_MAX} bytes");
                return Err(self.refused(self.number, message));
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some((self.number, line)));
            }
        }
    }

    /// The failure of a line.
    pub fn refused(
        &self,
        number: u64,
        because: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Failure {
        Failure::failed(format!("line {number} of {} cannot be appended", self.name))
            .because(because)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn blank_lines_count_and_are_left_out() {
        let mut lines = BoundedLines::of("it", Cursor::new("a\n\n  \nb"), None);
        assert_eq!(lines.next().unwrap(), Some((1, b"a\n".to_vec())));
        assert_eq!(lines.next().unwrap(), Some((4, b"b".to_vec())));
        assert_eq!(lines.next().unwrap(), None);
        assert_eq!(lines.bytes, 7);
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut lines = BoundedLines::of("it", BufReader::new(io::repeat(b'x')), None);
        let refused = lines.next().unwrap_err().render();
        assert!(refused.contains("line 1 of it cannot be appended"), "{refused}");
    }
}
