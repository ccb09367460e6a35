//! Ledger files as wholes: copying one as it is at a moment, and putting a file in its place.

use crate::{
    error::LedgerError,
    event::Position,
    faults::Fault,
    sqlite::{
        access::{Access, beside},
        check,
        database::{Database, is_empty, schema},
        error, writer,
    },
};
use rusqlite::{
    Connection, Error, ErrorCode, OpenFlags,
    backup::{Backup, StepResult},
};
use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

/// Pages that are copied between two looks at the progress.
const STEP: i32 = 1_000;
/// How often a file that somebody uses is tried again, once in [`PAUSE`].
const TRIES_MAX: usize = 200;
const PAUSE: Duration = Duration::from_millis(10);

/// Copies the ledger in a file to another, which must not be there yet. Others can go on writing:
/// the copy has what was committed when it began. Tells how many pages of how many are copied.
pub fn copy_file(
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<(), LedgerError> {
    if !from.is_file() {
        return Err(LedgerError::Missing(from.display().to_string()));
    }
    let source = match Access::find(from) {
        Ok(Access::Frozen) | Err(LedgerError::NotWritable { .. }) => return copy_bytes(from, to),
        access => open_source(access?, from).map_err(|error| of(from, error))?,
    };
    assert_ledger(&source, from)?;
    copy_pages(&source, to, &mut progress).map_err(|error| of(to, error))
}

fn open_source(access: Access, path: &Path) -> Result<Connection, Error> {
    let connection = access.open(path)?;
    connection.execute_batch("BEGIN; SELECT COUNT(*) FROM sqlite_schema;")?;
    Ok(connection)
}

fn assert_ledger(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    if schema(connection).map_err(|error| of(path, error))? > 0 {
        return Ok(());
    }
    if is_empty(connection).map_err(|error| of(path, error))? {
        return Err(LedgerError::Missing(path.display().to_string()));
    }
    let source = Arc::new(io::Error::other("there is no schema of a ledger in it"));
    Err(LedgerError::Damaged { ledger: path.display().to_string(), source })
}

/// Copies a ledger that may not be written, or whose folder may not, with its write-ahead log: SQLite
/// cannot read that there. Somebody else may still write it; that is found out.
fn copy_bytes(from: &Path, to: &Path) -> Result<(), LedgerError> {
    let lost = |path: &Path, error: io::Error| LedgerError::Backend {
        ledger: path.display().to_string(),
        source: Arc::new(error),
    };
    let files = || [from.to_owned(), beside(from, "-wal")].map(|path| state(&path));
    let before = files();
    copy_content(from, to).map_err(|error| lost(to, error))?;
    if before[1].is_some() {
        let log = beside(to, "-wal");
        copy_content(&beside(from, "-wal"), &log).map_err(|error| lost(&log, error))?;
    }
    if files() != before {
        return Err(LedgerError::Busy(from.display().to_string()));
    }
    let copied = Connection::open(to).map_err(|error| of(to, error))?;
    assert_ledger(&copied, from)
}

/// Copies what is in a file, but not who may do what with it: the copy is going to be written.
fn copy_content(from: &Path, to: &Path) -> io::Result<()> {
    io::copy(&mut File::open(from)?, &mut File::create(to)?).map(drop)
}

/// What changes with a file; none if it is not there.
fn state(path: &Path) -> Option<(u64, SystemTime)> {
    let about = fs::metadata(path).ok()?;
    Some((about.len(), about.modified().ok()?))
}

/// The source's transaction, which is open, keeps the pages from changing under the copy.
fn copy_pages(
    source: &Connection,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), Error> {
    let mut target = Connection::open(to)?;
    let backup = Backup::new(source, &mut target)?;
    loop {
        let step = backup.step(STEP)?;
        let left = backup.progress();
        let pages = |count: i32| u64::try_from(count).unwrap_or(0);
        progress(pages(left.pagecount - left.remaining), pages(left.pagecount));
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => thread::sleep(PAUSE),
        }
    }
}

/// What a ledger file has, by a look at all of it.
#[derive(Debug)]
pub struct Checked {
    /// The position of the last event.
    pub head: Position,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// Makes a copy a ledger of its own, that takes appends, and looks at all of it. Nobody else may
/// have it open for long.
pub fn complete_file(path: &Path) -> Result<Checked, LedgerError> {
    // What is not there must not become a ledger without events.
    let copy = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE);
    assert_ledger(&copy.map_err(|error| of(path, error))?, path)?;
    let (database, mut connection) = Database::open(path)?;
    let failed = |error| database.error(error);
    leave_log(&connection).map_err(failed)?;
    connection.execute("UPDATE about SET moved = NULL", ()).map_err(failed)?;
    let faults = check::check(&mut connection).map_err(failed)?;
    let head = writer::position(&connection).map_err(failed)?;
    set_journal(&connection, "wal").map_err(failed)?;
    connection.close().map_err(|(_, error)| database.error(error))?;
    Ok(Checked { head, faults })
}

/// Puts a complete file at a path. A ledger that is there is replaced; nobody may use that:
/// [`LedgerError::Busy`]. So is a damaged one, and what is none.
pub fn put_file(complete: &Path, path: &Path) -> Result<(), LedgerError> {
    let lost = |error: io::Error| LedgerError::Backend {
        ledger: path.display().to_string(),
        source: Arc::new(error),
    };
    File::open(complete).and_then(|file| file.sync_all()).map_err(lost)?;
    let replaced = if path.try_exists().map_err(lost)? { leave(path)? } else { None };
    if replaced.is_none() {
        remove_logs(path).map_err(lost)?;
    }
    if let Err(error) = fs::rename(complete, path) {
        if let Some(left) = replaced {
            left.stay().map_err(|error| of(path, error))?;
        }
        return Err(lost(error));
    }
    drop(replaced);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(lost)
}

/// Removes what is left of a damaged ledger, or of one that is gone, and would be taken for the log
/// of the new one.
fn remove_logs(path: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm", "-journal"] {
        match fs::remove_file(beside(path, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// A ledger that is about to be replaced: locked, and closed to those who opened it in this moment
/// still.
struct Left {
    connection: Connection,
    moved: Option<String>,
}

impl Left {
    /// Leaves everything as it was.
    fn stay(self) -> Result<(), Error> {
        self.connection.execute("UPDATE about SET moved = ?1", [self.moved]).map(drop)
    }
}

/// Closes a ledger; none if it is too damaged for that.
fn leave(path: &Path) -> Result<Option<Left>, LedgerError> {
    let leave = || {
        let connection = Connection::open(path)?;
        leave_log(&connection)?;
        connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE")?;
        let moved = connection.query_row("SELECT moved FROM about", (), |row| row.get(0))?;
        connection.execute("UPDATE about SET moved = ?1", [path.display().to_string()])?;
        Ok(Left { connection, moved })
    };
    match leave().map_err(|error| of(path, error)) {
        Err(LedgerError::Damaged { .. }) => Ok(None),
        left => left.map(Some),
    }
}

/// Takes all of the write-ahead log into the file and removes it, which nobody else may use then.
fn leave_log(connection: &Connection) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        match set_journal(connection, "delete") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && tries < TRIES_MAX =>
            {
                tries += 1;
                thread::sleep(PAUSE);
            }
            result => return result,
        }
    }
}

fn set_journal(connection: &Connection, mode: &str) -> Result<(), Error> {
    let sql = format!("PRAGMA journal_mode = {mode}");
    connection.query_row(&sql, (), |row| row.get::<_, String>(0)).map(drop)
}

fn of(path: &Path, cause: Error) -> LedgerError {
    error::of(path.display().to_string(), cause)
}
