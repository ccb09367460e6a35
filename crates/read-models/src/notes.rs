//! What is noted beside the facts of a ledger, for who asks another process or machine than the one
//! that saw it. Notes are true when they are written; who serves or follows next writes them anew.

use crate::{error::ReadModelError, read_models::ReadModels};
use fairway_ledger::{Key, Ledger, LedgerError, Position, RowChange, RowSet, Rows};
use fairway_model::ReadModelName;
use serde::{Deserialize, Serialize};

/// Most notes of a set that are read and kept.
const NOTES_MAX: usize = 1_000;
/// The set of notes about declarations that were not taken.
const REFUSED: &str = "$read-models-refused";

/// A declaration that was not taken by who serves the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Its file.
    pub path: String,
    /// Of which read model it is; none if that could not be read.
    pub name: Option<ReadModelName>,
    /// Why it was not taken.
    pub why: String,
}

impl ReadModels {
    /// Notes which declarations were not taken, in place of those of the last time.
    pub async fn note_refused(&self, refused: &[Refused]) -> Result<(), ReadModelError> {
        let set = Notes { ledger: &self.ledger, set: REFUSED };
        let note = |refused| serde_json::to_string(refused).expect("a note is JSON");
        let notes = (0_u64..).map(Key::from).zip(refused.iter().take(NOTES_MAX).map(note));
        Ok(set.replace(notes.collect()).await?)
    }

    /// The declarations that were not taken when the ledger was last served.
    pub async fn refused(&self) -> Result<Vec<Refused>, ReadModelError> {
        let notes = Notes { ledger: &self.ledger, set: REFUSED }.all().await?;
        // What is not understood, a newer Fairway wrote.
        let read = |(_, note): &(Key, String)| serde_json::from_str(note).ok();
        Ok(notes.iter().rev().filter_map(read).collect())
    }
}

/// A set of notes.
pub(crate) struct Notes<'l> {
    pub(crate) ledger: &'l Ledger,
    pub(crate) set: &'static str,
}

impl Notes<'_> {
    /// All notes, from the highest key down.
    pub(crate) async fn all(&self) -> Result<Vec<(Key, String)>, LedgerError> {
        self.ledger.store().rows(self.of(), Rows::Last { limit: NOTES_MAX }).await
    }

    /// One note.
    pub(crate) async fn get(&self, key: Key) -> Result<Option<String>, LedgerError> {
        let found = self.ledger.store().rows(self.of(), Rows::Keys(vec![key])).await?;
        Ok(found.into_iter().next().map(|(_, note)| note))
    }

    /// Writes notes in place of all that there are.
    pub(crate) async fn replace(&self, notes: Vec<(Key, String)>) -> Result<(), LedgerError> {
        let before = self.all().await?;
        if before.is_empty() && notes.is_empty() {
            return Ok(());
        }
        let gone = before.into_iter().map(|(key, _)| (key, None));
        let is_kept = |key: &Key| notes.iter().any(|(other, _)| other == key);
        let mut changes: Vec<_> = gone.filter(|(key, _)| !is_kept(key)).collect();
        changes.extend(notes.into_iter().map(|(key, note)| (key, Some(note))));
        self.change(changes).await
    }

    /// Writes and removes notes. They follow no events, so they are always true up to the start.
    pub(crate) async fn change(&self, rows: Vec<(Key, Option<String>)>) -> Result<(), LedgerError> {
        let start = Position(0);
        let change = || RowChange { set: self.of(), from: start, to: start, rows: rows.clone() };
        // It is refused while another makes the set.
        while !self.ledger.store().store_rows(change()).await? {}
        Ok(())
    }

    fn of(&self) -> RowSet {
        RowSet { name: self.set.to_owned(), version: 1 }
    }
}
