//! The keys of subjects, in a SQLite file beside the ledger that no backup of it has.

use crate::{
    error::SubjectError,
    key::{KEY_BYTES, Key},
};
use fairway_ledger::StreamName;
use rusqlite::{Connection, Error, OpenFlags, OptionalExtension, TransactionBehavior};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Only the owner may read keys.
const MODE: u32 = 0o600;
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// What is removed is overwritten with zeros.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
";
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS keys (
        subject TEXT PRIMARY KEY,
        key BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS streams (
        stream TEXT NOT NULL,
        subject TEXT NOT NULL,
        PRIMARY KEY (stream, subject)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS streams_of_subject ON streams (subject);
";

/// The keys of subjects. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Subjects {
    path: Arc<PathBuf>,
    /// Opened when it is first needed.
    connection: Arc<Mutex<Option<Connection>>>,
}

impl Subjects {
    /// The keys in a file, which is made with the first one.
    pub fn new(path: &Path) -> Self {
        Self { path: Arc::new(path.to_owned()), connection: Arc::default() }
    }

    /// Removes the key of a subject for ever; false if there is none. What was sealed with it is
    /// lost when this returns, and what was not stays.
    pub async fn forget(&self, subject: &str) -> Result<bool, SubjectError> {
        let subject = subject.to_owned();
        let forgotten = self.work(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let removed = transaction.execute("DELETE FROM keys WHERE subject = ?1", [&subject])?;
            transaction.execute("DELETE FROM streams WHERE subject = ?1", [&subject])?;
            transaction.commit()?;
            // The log has the key since it was made.
            let is_in_log: bool =
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))?;
            Ok((removed > 0, is_in_log))
        });
        match forgotten.await? {
            (_, true) => Err(SubjectError::InLog { path: self.path.to_path_buf() }),
            (is_removed, false) => Ok(is_removed),
        }
    }

    /// Notes of which subjects streams have personal data that were sealed before. Those who are
    /// forgotten stay so.
    pub(crate) async fn note(
        &self,
        sealed: BTreeSet<(StreamName, String)>,
    ) -> Result<(), SubjectError> {
        self.work(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for (stream, subject) in &sealed {
                let note = "INSERT OR IGNORE INTO streams (stream, subject)
                    SELECT ?1, subject FROM keys WHERE subject = ?2";
                transaction.prepare_cached(note)?.execute((stream.as_str(), subject))?;
            }
            transaction.commit()
        })
        .await
    }

    /// The keys of subjects, made where there is none, for events of some streams.
    pub(crate) async fn keys_for(
        &self,
        wanted: BTreeSet<(StreamName, String)>,
    ) -> Result<BTreeMap<String, Key>, SubjectError> {
        let fresh: Vec<Key> =
            wanted.iter().map(|_| Key::generate()).collect::<Result<_, SubjectError>>()?;
        self.work(move |connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut keys = BTreeMap::new();
            for ((stream, subject), fresh) in wanted.iter().zip(&fresh) {
                let put = "INSERT OR IGNORE INTO keys (subject, key) VALUES (?1, ?2)";
                transaction.prepare_cached(put)?.execute((subject, fresh.0))?;
                let note = "INSERT OR IGNORE INTO streams (stream, subject) VALUES (?1, ?2)";
                transaction.prepare_cached(note)?.execute((stream.as_str(), subject))?;
                keys.extend(find(&transaction, subject)?.map(|key| (subject.clone(), key)));
            }
            transaction.commit()?;
            Ok(keys)
        })
        .await
    }

    /// Those keys of subjects that are not forgotten.
    pub(crate) async fn keys(
        &self,
        subjects: BTreeSet<String>,
    ) -> Result<BTreeMap<String, Key>, SubjectError> {
        self.work(move |connection| {
            let found = subjects
                .iter()
                .map(|subject| Ok(find(connection, subject)?.map(|key| (subject.clone(), key))));
            found.filter_map(Result::transpose).collect()
        })
        .await
    }

    /// The subjects of whom a stream has personal data, by name.
    pub(crate) async fn of_stream(&self, stream: &StreamName) -> Result<Vec<String>, SubjectError> {
        let stream = stream.as_str().to_owned();
        self.work(move |connection| {
            let sql = "SELECT subject FROM streams WHERE stream = ?1 ORDER BY subject";
            let mut select = connection.prepare_cached(sql)?;
            select.query_map([stream], |row| row.get(0))?.collect()
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, SubjectError> {
        let (connection, path) = (self.connection.clone(), self.path.clone());
        let task = tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let open = match connection.take() {
                Some(open) => open,
                None => connect(&path)?,
            };
            work(connection.insert(open)).map_err(|error| keys_error(&path, error))
        });
        task.await.map_err(|_| SubjectError::Closed)?
    }
}

fn connect(path: &Path) -> Result<Connection, SubjectError> {
    let private = OpenOptions::new().append(true).create(true).mode(MODE).open(path);
    private
        .map_err(|source| SubjectError::File { path: path.to_owned(), source: Arc::new(source) })?;
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.execute_batch(SETTINGS)?;
        connection.execute_batch(TABLES)?;
        Ok(connection)
    };
    open().map_err(|error| keys_error(path, error))
}

fn find(connection: &Connection, subject: &str) -> Result<Option<Key>, Error> {
    let mut find = connection.prepare_cached("SELECT key FROM keys WHERE subject = ?1")?;
    find.query_row([subject], |row| row.get::<_, [u8; KEY_BYTES]>(0).map(Key)).optional()
}

fn keys_error(path: &Path, error: Error) -> SubjectError {
    SubjectError::Keys { path: path.to_owned(), source: Arc::new(error) }
}
