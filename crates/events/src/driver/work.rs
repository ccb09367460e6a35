//! What a driver does beside waiting for requests: reading, storing progress, writing facts.

use crate::{
    decide::{Mark, MemberId, Progress},
    error::GroupError,
    feed,
    group_id::GroupId,
    progress_row::{ProgressRow, Stored},
};
use fairway_ledger::{Event, Expected, Ledger, NewEvent, Position};
use std::time::Duration;

/// How often it is looked who drives the group, where no lock says it.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Most facts that are written at once.
pub(super) const FACTS_MAX: usize = 500;

/// What came of it.
#[derive(Debug)]
pub(super) enum Done {
    /// Events were read by their positions.
    Loaded(Vec<Event>),
    /// Progress up to a checkpoint was stored.
    Saved(Mark, ProgressRow),
    /// Facts are in the ledger.
    Recorded,
    /// A consumer went.
    Left(MemberId),
    /// Somebody else drives the group.
    TakenOver,
}

/// Returns when somebody else drives the group.
pub(super) async fn watch(row: ProgressRow) -> Result<Done, GroupError> {
    while row.is_mine().await? {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(Done::TakenOver)
}

pub(super) async fn load(ledger: Ledger, positions: Vec<Position>) -> Result<Done, GroupError> {
    Ok(Done::Loaded(feed::load(&ledger, &positions).await?))
}

pub(super) async fn save(mut row: ProgressRow, progress: Progress) -> Result<Done, GroupError> {
    Ok(match row.save(&progress).await? {
        Stored::Done => Done::Saved(progress.checkpoint, row),
        Stored::TakenOver => Done::TakenOver,
    })
}

pub(super) async fn record(
    ledger: Ledger,
    id: GroupId,
    facts: Vec<NewEvent>,
) -> Result<Done, GroupError> {
    ledger.append(id.stream(), Expected::Any, facts).await?;
    Ok(Done::Recorded)
}
