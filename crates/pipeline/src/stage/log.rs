//! The output of stages, kept beside the ledger for as long as the data directory.

use fairway_engine::LogStream;
use fairway_model::{RunId, StageName, Timestamp};
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

/// Longest line that is read back.
const LINE_MAX: u64 = 1 << 20;
/// Most bytes that are held back.
const HELD_MAX: usize = 256 << 10;

/// One line of a stage's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageLogLine {
    /// When it was written.
    pub at: Timestamp,
    /// What it is.
    pub kind: LineKind,
    /// Its bytes, with secrets masked.
    pub text: Vec<u8>,
}

/// What a line of a stage's log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Something about the stage.
    Note,
}

impl From<LogStream> for LineKind {
    fn from(stream: LogStream) -> Self {
        match stream {
            LogStream::Stdout => Self::Stdout,
            LogStream::Stderr => Self::Stderr,
        }
    }
}

impl LineKind {
    fn tag(self) -> &'static str {
        match self {
            Self::Stdout => "o",
            Self::Stderr => "e",
            Self::Note => "n",
        }
    }

    fn of(tag: &[u8]) -> Option<Self> {
        [Self::Stdout, Self::Stderr, Self::Note].into_iter().find(|k| k.tag().as_bytes() == tag)
    }
}

/// The logs of all runs of a data directory.
#[derive(Debug, Clone)]
pub struct RunLogs {
    dir: PathBuf,
}

impl RunLogs {
    /// The logs in a folder, which need not exist yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The folder of one run.
    pub(crate) fn folder(&self, run: RunId) -> PathBuf {
        self.dir.join(run.to_string())
    }

    /// The lines of a stage in the run in which it ran; none if it wrote no log there.
    pub fn read(
        &self,
        run: RunId,
        stage: &StageName,
    ) -> io::Result<Option<impl Iterator<Item = io::Result<StageLogLine>> + use<>>> {
        match File::open(path(&self.folder(run), stage)) {
            Ok(file) => Ok(Some(Lines { file: BufReader::new(file) })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn path(folder: &Path, stage: &StageName) -> PathBuf {
    folder.join(format!("{stage}.log"))
}

struct Lines {
    file: BufReader<File>,
}

impl Iterator for Lines {
    type Item = io::Result<StageLogLine>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut line = Vec::new();
            match Read::by_ref(&mut self.file).take(LINE_MAX).read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
            // A line that a killed driver wrote half is passed over.
            if let Some(parsed) = line.strip_suffix(b"\n").and_then(parse) {
                return Some(Ok(parsed));
            }
        }
    }
}

fn parse(line: &[u8]) -> Option<StageLogLine> {
    let mut parts = line.splitn(3, |&byte| byte == b' ');
    let at = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    let kind = LineKind::of(parts.next()?)?;
    Some(StageLogLine { at: Timestamp(at), kind, text: parts.next()?.to_vec() })
}

/// Writes the log of one stage. What is said while the stage only looks at what it depends on is
/// held back, and forgotten if its result is known, so that such a stage makes no file.
pub(crate) struct LogWriter {
    folder: PathBuf,
    stage: StageName,
    held: Vec<u8>,
    file: Option<BufWriter<File>>,
}

impl LogWriter {
    pub(crate) fn new(folder: PathBuf, stage: StageName) -> Self {
        Self { folder, stage, held: Vec::new(), file: None }
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, at: Timestamp, kind: LineKind, text: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            write_line(&mut self.held, at, kind, text)?;
            return if self.held.len() > HELD_MAX { self.open() } else { Ok(()) };
        };
        write_line(file, at, kind, text)
    }

    /// Makes the file, with what was held back.
    pub(crate) fn open(&mut self) -> io::Result<()> {
        if self.file.is_none() {
            let mut file = create(&self.folder, &self.stage)?;
            file.write_all(&std::mem::take(&mut self.held))?;
            self.file = Some(file);
        }
        Ok(())
    }

    /// Forgets what was held back.
    pub(crate) fn forget(&mut self) {
        self.held.clear();
    }

    /// Makes all that was written readable for others.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if !self.held.is_empty() {
            self.open()?;
        }
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

fn write_line(out: &mut impl Write, at: Timestamp, kind: LineKind, text: &[u8]) -> io::Result<()> {
    write!(out, "{} {} ", at.0, kind.tag())?;
    out.write_all(text)?;
    out.write_all(b"\n")
}

fn create(folder: &Path, stage: &StageName) -> io::Result<BufWriter<File>> {
    fs::create_dir_all(folder)?;
    let file = File::options().create(true).append(true).open(path(folder, stage))?;
    Ok(BufWriter::new(file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read_back_and_half_a_line_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let logs = RunLogs::new(dir.path());
        let stage: StageName = "unit".parse().unwrap();
        let mut writer = LogWriter::new(logs.folder(RunId(7)), stage.clone());
        writer.line(Timestamp(1), LineKind::Note, b"forgotten").unwrap();
        writer.forget();
        writer.flush().unwrap();
        assert!(logs.read(RunId(7), &stage).unwrap().is_none());
        writer.line(Timestamp(5), LineKind::Stdout, b"a b \xff").unwrap();
        writer.line(Timestamp(6), LineKind::Note, b"").unwrap();
        writer.flush().unwrap();
        writer.file.as_mut().unwrap().write_all(b"7 o hal").unwrap();
        writer.flush().unwrap();
        let lines: Vec<_> = logs.read(RunId(7), &stage).unwrap().unwrap().collect();
        let lines: Vec<_> = lines.into_iter().map(Result::unwrap).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].at, lines[0].kind), (Timestamp(5), LineKind::Stdout));
        assert_eq!(lines[0].text, b"a b \xff");
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in proptest::collection::vec(any::<u8>(), 0..60)) {
            drop(parse(&line));
        }
    }
}
