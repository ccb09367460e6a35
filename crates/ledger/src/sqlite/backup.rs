//! Ledger files as wholes: copying one as it is at a moment, and putting a file in its place.

use crate::{
    error::LedgerError,
    event::Position,
    faults::Fault,
    sqlite::{check, database::Database, error, writer},
};
use rusqlite::{
    Connection, Error, ErrorCode, OpenFlags,
    backup::{Backup, StepResult},
};
use std::{
    fs::{self, File},
    io,
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
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
    let failed = |error| of(from, error);
    let source = open_source(from).map_err(failed)?;
    let version: i64 =
        source.query_row("PRAGMA user_version", (), |row| row.get(0)).map_err(failed)?;
    if version == 0 {
        let source = Arc::new(io::Error::other("there is no schema of a ledger in it"));
        return Err(LedgerError::Damaged { ledger: from.display().to_string(), source });
    }
    copy_pages(&source, to, &mut progress).map_err(|error| of(to, error))
}

/// One that is on a disk that cannot be written has nobody who writes.
fn open_source(path: &Path) -> Result<Connection, Error> {
    let begin = |connection: &Connection| {
        connection.execute_batch("BEGIN; SELECT COUNT(*) FROM sqlite_schema;")
    };
    let opened = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE);
    let opened = opened.and_then(|connection| begin(&connection).map(|()| connection));
    match opened {
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied)
            ) =>
        {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            let escaped = path.display().to_string().replace('%', "%25");
            let escaped = escaped.replace('?', "%3f").replace('#', "%23");
            let connection =
                Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)?;
            begin(&connection)?;
            Ok(connection)
        }
        opened => opened,
    }
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
/// [`LedgerError::Busy`].
pub fn put_file(complete: &Path, path: &Path) -> Result<(), LedgerError> {
    let lost = |error: io::Error| LedgerError::Backend {
        ledger: path.display().to_string(),
        source: Arc::new(error),
    };
    File::open(complete).and_then(|file| file.sync_all()).map_err(lost)?;
    let replaced = if path.try_exists().map_err(lost)? { Some(leave(path)?) } else { None };
    fs::rename(complete, path).map_err(lost)?;
    drop(replaced);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(lost)
}

/// Locks a ledger that is about to be replaced, and tells who opened it in this moment still.
fn leave(path: &Path) -> Result<Connection, LedgerError> {
    let failed = |error| of(path, error);
    let connection = Connection::open(path).map_err(failed)?;
    leave_log(&connection).map_err(failed)?;
    connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE").map_err(failed)?;
    let moved = connection.execute("UPDATE about SET moved = ?1", [path.display().to_string()]);
    moved.map_err(failed)?;
    Ok(connection)
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
