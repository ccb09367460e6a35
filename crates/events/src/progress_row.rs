//! The progress of a group in the ledger's rows, and who drives the group.

use crate::{
    decide::{Mark, Progress},
    error::GroupError,
    facts::{Facts, Standing},
    group_id::GroupId,
    settings::Start,
};
use fairway_ledger::{Key, Ledger, LedgerError, Position, RowChange, RowSet, Rows, Version};

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

/// Names a driver, unlike all others. Panics if the system has no randomness.
fn new_driver() -> String {
    let token = getrandom::u64().expect("the system gives random numbers to every process");
    format!("{token:016x}")
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
        let (set, driver) = (set(id), new_driver());
        let mut row = Self { ledger: ledger.clone(), set, driver, from: Position(0) };
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
            if !self.is_mine().await? {
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

    /// Whether nobody else has claimed the group since.
    pub(crate) async fn is_mine(&self) -> Result<bool, LedgerError> {
        let driver = row(&self.ledger, &self.set, DRIVER).await?;
        Ok(driver.as_ref() == Some(&self.driver))
    }

    async fn store(&self, to: Position, (key, text): (&str, String)) -> Result<bool, LedgerError> {
        let rows = vec![(Key::from(key), Some(text))];
        let change = RowChange { set: self.set.clone(), from: self.from, to, rows };
        self.ledger.store().store_rows(change).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ended, Groups, Settings};
    use fairway_ledger::{Expected, NewEvent};

    struct Place {
        dir: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            Self { dir: tempfile::tempdir_in("/var/tmp").unwrap() }
        }

        fn open(&self) -> Ledger {
            Ledger::open(&self.dir.path().join("events.db")).unwrap()
        }
    }

    fn id() -> GroupId {
        GroupId::parse("$all", "mails").unwrap()
    }

    fn progress(position: u64) -> Progress {
        let mark = Mark { position: Position(position), version: Version(0) };
        Progress { created: Version(1), checkpoint: mark, ..Progress::default() }
    }

    #[tokio::test]
    async fn who_claims_last_stores_progress_and_the_one_before_is_told() {
        let place = Place::new();
        let mut first = ProgressRow::claim(&place.open(), &id()).await.unwrap();
        assert_eq!(first.save(&progress(3)).await.unwrap(), Stored::Done);
        let mut second = ProgressRow::claim(&place.open(), &id()).await.unwrap();
        assert_eq!(first.save(&progress(4)).await.unwrap(), Stored::TakenOver);
        assert_eq!(second.save(&progress(5)).await.unwrap(), Stored::Done);
        let found = stored(&place.open(), &id(), Version(1)).await.unwrap();
        assert_eq!(found, Some(progress(5)));
        let of_another = stored(&place.open(), &id(), Version(2)).await.unwrap();
        assert_eq!(of_another, None, "the group was created anew");
        remove(&place.open(), &id()).await.unwrap();
        assert_eq!(second.save(&progress(6)).await.unwrap(), Stored::TakenOver);
    }

    #[tokio::test]
    async fn progress_that_the_one_before_stored_late_is_written_over() {
        let place = Place::new();
        let mut first = ProgressRow::claim(&place.open(), &id()).await.unwrap();
        let mut second = ProgressRow::claim(&place.open(), &id()).await.unwrap();
        // As if it had looked who drives the group just before it was taken over.
        (first.driver, first.from) = (second.driver.clone(), Position(0));
        assert_eq!(first.save(&progress(3)).await.unwrap(), Stored::Done);
        assert_eq!(second.save(&progress(2)).await.unwrap(), Stored::Done);
        let found = stored(&place.open(), &id(), Version(1)).await.unwrap();
        assert_eq!(found, Some(progress(2)));
    }

    #[tokio::test]
    async fn consumers_of_a_group_that_is_taken_over_are_disconnected() {
        let place = Place::new();
        let groups = Groups::open(place.open());
        groups.create(&id(), Settings::default()).await.unwrap();
        let stream = "order-1".parse().unwrap();
        let event = NewEvent::new("order-paid", &1).unwrap();
        groups.ledger().append(&stream, Expected::Any, vec![event]).await.unwrap();
        let mut consumer = groups.connect(&id(), &"a".parse().unwrap(), 1).await.unwrap();
        let delivery = consumer.next().await.unwrap();
        ProgressRow::claim(&place.open(), &id()).await.unwrap();
        consumer.ack([delivery.token()]).await.unwrap();
        let ended = consumer.next().await.unwrap_err();
        assert!(matches!(ended, GroupError::Ended { why: Ended::TakenOver, .. }), "{ended}");
    }
}
