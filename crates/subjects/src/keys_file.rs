//! The keys of subjects in a SQLite file beside the ledger, that no backup of it has.

use crate::{
    error::SubjectError,
    key::{KEY_BYTES, Key},
    keys::{Found, Keys, KeysId, Missing, Of},
    opening::{connect, in_transaction, is_refusal, is_there, keys_error},
};
use async_trait::async_trait;
use fairway_ledger::{StreamName, open_read_only};
use rusqlite::{Connection, Error, OptionalExtension, Row, Transaction};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

const NOTE: &str = "INSERT OR IGNORE INTO streams (stream, subject) VALUES (?1, ?2)";

/// Keys in a file. Only who needs a place for new ones makes it.
#[derive(Debug)]
pub(crate) struct KeysFile {
    path: Arc<PathBuf>,
    /// Opened when it is first needed.
    connection: Arc<Mutex<Option<Connection>>>,
}

impl KeysFile {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: Arc::new(path.to_owned()), connection: Arc::default() }
    }

    /// Works in one transaction with the file, which is made if it is not there.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, SubjectError> {
        let write = move |connection: &mut Connection, path: &Path| {
            in_transaction(connection, work).map_err(|error| keys_error(path, error))
        };
        Ok(self.work(Missing::IsMade, write).await?.expect("it was made"))
    }

    /// Reads the file; if it is not there, it stays so, and nothing is found.
    async fn read<T: Default + Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, SubjectError> {
        let read = move |connection: &mut Connection, path: &Path| {
            read(connection).map_err(|error| keys_error(path, error))
        };
        Ok(self.work(Missing::IsLeft, read).await?.unwrap_or_default())
    }

    async fn work<T: Send + 'static>(
        &self,
        missing: Missing,
        work: impl FnOnce(&mut Connection, &Path) -> Result<T, SubjectError> + Send + 'static,
    ) -> Result<Option<T>, SubjectError> {
        let (connection, path) = (self.connection.clone(), self.path.clone());
        let task = tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let open = match connection.take() {
                Some(open) => open,
                None if missing == Missing::IsLeft && !is_there(&path)? => return Ok(None),
                None => match connect(&path, missing) {
                    Err(error) if missing == Missing::IsLeft && is_refusal(&error) => {
                        // Not kept: it may not see who is forgotten later.
                        let open = open_read_only(&path);
                        let mut open = open.map_err(|error| keys_error(&path, error))?;
                        return work(&mut open, &path).map(Some);
                    }
                    open => open?,
                },
            };
            work(connection.insert(open), &path).map(Some)
        });
        task.await.map_err(|_| SubjectError::Closed)?
    }
}

#[async_trait]
impl Keys for KeysFile {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    async fn find_id(&self) -> Result<Option<KeysId>, SubjectError> {
        self.read(|connection| id(connection).map(Some)).await
    }

    async fn id(&self) -> Result<KeysId, SubjectError> {
        self.write(|transaction| id(transaction)).await
    }

    async fn keys_for(&self, wanted: Of) -> Result<(KeysId, Found), SubjectError> {
        let fresh: Vec<Key> =
            wanted.iter().map(|_| Key::generate()).collect::<Result<_, SubjectError>>()?;
        self.write(move |transaction| {
            let mut keys = Found::new();
            for ((stream, subject), fresh) in wanted.iter().zip(&fresh) {
                let put = "INSERT OR IGNORE INTO keys (subject, key) VALUES (?1, ?2)";
                transaction.prepare_cached(put)?.execute((subject, fresh.0))?;
                transaction.prepare_cached(NOTE)?.execute((stream.as_str(), subject))?;
                keys.extend(find(transaction, subject)?.map(|key| (subject.clone(), key)));
            }
            Ok((id(transaction)?, keys))
        })
        .await
    }

    async fn note(&self, sealed: Of) -> Result<bool, SubjectError> {
        let note = move |connection: &mut Connection, path: &Path| {
            let noted = in_transaction(connection, |transaction| {
                let mut is_any_known = false;
                for (stream, subject) in &sealed {
                    let is_known = find(transaction, subject)?.is_some();
                    is_any_known |= is_known;
                    if is_known {
                        transaction.prepare_cached(NOTE)?.execute((stream.as_str(), subject))?;
                    }
                }
                Ok(is_any_known)
            });
            noted.map_err(|error| keys_error(path, error))
        };
        Ok(self.work(Missing::IsLeft, note).await?.unwrap_or_default())
    }

    async fn keys(&self, subjects: BTreeSet<String>) -> Result<Found, SubjectError> {
        self.read(move |connection| {
            let found = subjects
                .iter()
                .map(|subject| Ok(find(connection, subject)?.map(|key| (subject.clone(), key))));
            found.filter_map(Result::transpose).collect()
        })
        .await
    }

    async fn keys_of(&self, stream: &StreamName) -> Result<Found, SubjectError> {
        let stream = stream.as_str().to_owned();
        self.read(move |connection| {
            let sql =
                "SELECT key, subject FROM streams JOIN keys USING (subject) WHERE stream = ?1";
            let mut select = connection.prepare_cached(sql)?;
            select.query_map([stream], |row| Ok((row.get(1)?, key(row)?)))?.collect()
        })
        .await
    }

    async fn forget(&self, subject: &str) -> Result<bool, SubjectError> {
        let subject = subject.to_owned();
        let forget = move |connection: &mut Connection, path: &Path| {
            let forgotten = in_transaction(connection, |transaction| {
                let removed =
                    transaction.execute("DELETE FROM keys WHERE subject = ?1", [&subject])?;
                transaction.execute("DELETE FROM streams WHERE subject = ?1", [&subject])?;
                Ok(removed > 0)
            });
            // The log has the key since it was made.
            let forgotten = forgotten.and_then(|is_removed| {
                let empty = "PRAGMA wal_checkpoint(TRUNCATE)";
                let is_in_log: bool = connection.query_row(empty, (), |row| row.get(0))?;
                Ok((is_removed, is_in_log))
            });
            match forgotten.map_err(|error| keys_error(path, error))? {
                (_, true) => Err(SubjectError::InLog { path: path.to_owned() }),
                (is_removed, false) => Ok(is_removed),
            }
        };
        Ok(self.work(Missing::IsLeft, forget).await?.unwrap_or_default())
    }
}

fn id(connection: &Connection) -> Result<KeysId, Error> {
    let mut find = connection.prepare_cached("SELECT id FROM about")?;
    find.query_row((), |row| row.get(0).map(KeysId))
}

fn find(connection: &Connection, subject: &str) -> Result<Option<Key>, Error> {
    let mut find = connection.prepare_cached("SELECT key FROM keys WHERE subject = ?1")?;
    find.query_row([subject], key).optional()
}

/// The key in the first column.
fn key(row: &Row<'_>) -> Result<Key, Error> {
    row.get::<_, [u8; KEY_BYTES]>(0).map(Key)
}
