//! Folds what came after the stored rows of a projection, in memory; and stores that now and then.

use crate::{
    event::{DecodeError, Position},
    projection::{Key, Projection},
    reader,
    rows::{Keys, ROWS_MAX, Saving, Stored},
    writer,
};
use rusqlite::Connection;
use std::collections::BTreeMap;

/// A reader folds up to this many events in memory; if there are more, they are stored first.
pub(crate) const FOLD_MAX: u64 = 500;
/// Most events that are folded and stored in one transaction.
const STEP_MAX: usize = 10_000;

/// Why a fold failed.
pub(crate) enum FoldError {
    Sqlite(rusqlite::Error),
    Decode(DecodeError),
    Row(serde_json::Error),
}

impl From<rusqlite::Error> for FoldError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<DecodeError> for FoldError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<serde_json::Error> for FoldError {
    fn from(error: serde_json::Error) -> Self {
        Self::Row(error)
    }
}

/// The rows of a projection: those that are stored, and over them those that later events touched.
pub(crate) struct Fold<'a, P: Projection> {
    connection: &'a Connection,
    stored: Stored,
    position: Position,
    touched: BTreeMap<Key, Option<P::Row>>,
}

/// How many events the stored rows of a projection are behind.
pub(crate) fn lag<P: Projection>(connection: &Connection) -> Result<u64, FoldError> {
    let stored = Stored::find(connection, P::NAME, P::VERSION)?;
    Ok(writer::position(connection)?.0.saturating_sub(stored.position.0))
}

/// Stores the next rows; inside the writer's transaction.
pub(crate) fn store<P: Projection>(connection: &Connection) -> Result<(), FoldError> {
    let mut fold = Fold::<P>::start(connection)?;
    fold.step(STEP_MAX)?;
    let saving = Saving::start(connection, P::NAME, P::VERSION)?;
    for (key, row) in &fold.touched {
        let value = row.as_ref().map(serde_json::to_string).transpose()?;
        saving.put(key, value.as_deref())?;
    }
    saving.finish(fold.position)?;
    Ok(())
}

impl<'a, P: Projection> Fold<'a, P> {
    fn start(connection: &'a Connection) -> Result<Self, FoldError> {
        let stored = Stored::find(connection, P::NAME, P::VERSION)?;
        let position = stored.position;
        Ok(Self { connection, stored, position, touched: BTreeMap::new() })
    }

    /// Folds all there is, within one view of the ledger.
    pub(crate) fn whole(connection: &'a Connection) -> Result<Self, FoldError> {
        let mut fold = Self::start(connection)?;
        while fold.step(STEP_MAX)? > 0 {}
        Ok(fold)
    }

    /// Folds the next events and says how many there were.
    fn step(&mut self, limit: usize) -> Result<usize, FoldError> {
        let events = reader::all(self.connection, self.position, limit)?;
        for event in &events {
            if let Some(key) = P::key(event) {
                let row = match self.touched.remove(&key) {
                    Some(row) => row,
                    None => self.stored_row(&key)?,
                };
                self.touched.insert(key, P::apply(row, event)?);
            }
            self.position = event.position;
        }
        Ok(events.len())
    }

    fn stored_row(&self, key: &Key) -> Result<Option<P::Row>, FoldError> {
        let value = self.stored.get(self.connection, key)?;
        Ok(value.map(|value| serde_json::from_str(&value)).transpose()?)
    }

    /// One row.
    pub(crate) fn row(mut self, key: &Key) -> Result<Option<P::Row>, FoldError> {
        match self.touched.remove(key) {
            Some(row) => Ok(row),
            None => self.stored_row(key),
        }
    }

    /// The rows with the highest keys, from the highest down.
    pub(crate) fn last(self, keys: &Keys, limit: usize) -> Result<Vec<(Key, P::Row)>, FoldError> {
        let limit = limit.min(ROWS_MAX);
        // Touched rows may be removals, so that many more have to be read to be left with enough.
        let stored = self.stored.last(self.connection, keys, limit + self.touched.len())?;
        let mut rows = BTreeMap::new();
        for (key, value) in stored {
            if !self.touched.contains_key(&key) {
                rows.insert(key, serde_json::from_str(&value)?);
            }
        }
        let touched = self.touched.into_iter().filter(|(key, _)| keys.contain(key));
        rows.extend(touched.filter_map(|(key, row)| Some((key, row?))));
        Ok(rows.into_iter().rev().take(limit).collect())
    }
}
