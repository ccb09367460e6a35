//! The progress of a group in the ledger's rows, and who drives the group.

use crate::{
    decide::{Mark, Progress},
    error::GroupError,
    facts::{Facts, Standing},
    group_id::GroupId,
    settings::Start,
};
use fairway_ledger::{Key, Ledger, LedgerError, Position, RowChange, RowSet, Rows, Version};
use std::hash::{BuildHasher, RandomState};

const PROGRESS: &str = "progress";
const DRIVER: &str = "driver";

/// Where the progress of a group is stored, by the one who drives it.
#[derive(Debug, Clone)]
pub(crate) struct ProgressRow {
    ledger: Ledger,
    set: RowSet,
    /// Unlike that of every other driver.
    driver: String,
    /// Up to where the rows are true: the stored checkpoint.
    from: Position,
}

/// What came of storing progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    Done,
    /// Somebody else drives the group now.
    TakenOver,
}

fn set(id: &GroupId) -> RowSet {
    RowSet { name: id.stream().to_string(), version: 1 }
}

/// How far a group is, as far as is known: as it was stored, or else recorded, or not yet driven.
pub(crate) async fn last(
    ledger: &Ledger,
    id: &GroupId,
    (group, facts): (&Standing, &Facts),
) -> Result<Progress, LedgerError> {
    let stored = stored(ledger, id, group.created).await?;
    let known = stored.or_else(|| facts.progress.clone());
    Ok(known.unwrap_or_else(|| first(group)))
}

/// What is known of a group that was never driven.
fn first(group: &Standing) -> Progress {
    let taken = match group.settings.start {
        Start::AfterPosition(position) => Mark { position, ..Mark::default() },
        Start::AfterVersion(version) => Mark { version, ..Mark::default() },
        // The end was looked up when the group was created.
        Start::Beginning | Start::End => Mark::default(),
    };
    let created = group.created;
    Progress { created, facts: created, taken, checkpoint: taken, ..Progress::default() }
}

/// The progress that is stored of the group that a fact created.
async fn stored(
    ledger: &Ledger,
    id: &GroupId,
    created: Version,
) -> Result<Option<Progress>, LedgerError> {
    let text = row(ledger, &set(id), PROGRESS).await?;
    let progress = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(progress.filter(|progress: &Progress| progress.created == created))
}

async fn row(ledger: &Ledger, set: &RowSet, key: &str) -> Result<Option<String>, LedgerError> {
    let rows = ledger.store().rows(set.clone(), Rows::Keys(vec![key.into()])).await?;
    Ok(rows.into_iter().next().map(|(_, row)| row))
}

/// Forgets the progress of a group that is no more.
pub(crate) async fn remove(ledger: &Ledger, id: &GroupId) -> Result<(), LedgerError> {
    loop {
        let from = ledger.store().rows_position(set(id)).await?;
        let rows = [PROGRESS, DRIVER].map(|key| (Key::from(key), None)).into();
        let change = RowChange { set: set(id), from, to: Position(0), rows };
        if ledger.store().store_rows(change).await? {
            return Ok(());
        }
    }
}

impl ProgressRow {
    /// Says that from now on this one drives the group: another that does finds out when it stores
    /// progress the next time.
    pub(crate) async fn claim(ledger: &Ledger, id: &GroupId) -> Result<Self, GroupError> {
        let token = RandomState::new().hash_one(std::process::id());
        let driver = format!("{token:016x}");
        let mut row = Self { ledger: ledger.clone(), set: set(id), driver, from: Position(0) };
        loop {
            row.from = ledger.store().rows_position(row.set.clone()).await?;
            if row.store(row.from, (DRIVER, row.driver.clone())).await? {
                return Ok(row);
            }
        }
    }

    /// Stores progress.
    pub(crate) async fn save(&mut self, progress: &Progress) -> Result<Stored, GroupError> {
        let text = serde_json::to_string(progress).expect("progress is JSON");
        loop {
            let driver = row(&self.ledger, &self.set, DRIVER).await?;
            if driver.as_ref() != Some(&self.driver) {
                return Ok(Stored::TakenOver);
            }
            let to = progress.checkpoint.position;
            if self.store(to, (PROGRESS, text.clone())).await? {
                self.from = to;
                return Ok(Stored::Done);
            }
            // The one that drove before stored progress after this one took over.
            self.from = self.ledger.store().rows_position(self.set.clone()).await?;
        }
    }

    async fn store(&self, to: Position, (key, text): (&str, String)) -> Result<bool, LedgerError> {
        let rows = vec![(Key::from(key), Some(text))];
        let change = RowChange { set: self.set.clone(), from: self.from, to, rows };
        self.ledger.store().store_rows(change).await
    }
}
