//! What is put to the test.

use crate::{clock::Clock, ledger::Ledger};
use async_trait::async_trait;
use fairway_model::Timestamp;

/// A place for one ledger, which nobody used before.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the ledger of this place; the first time makes it. It can be open several times.
    async fn open(&self, clock: Clock) -> Ledger;

    /// Makes every removal of events fail, until they may be removed again. The ledger is there.
    async fn forbid_removals(&self);

    /// Lets events be removed again.
    async fn allow_removals(&self);
}

/// Opens the ledger of a place with the machine's clock.
pub(super) async fn open(place: &dyn Place) -> Ledger {
    place.open(Clock::system()).await
}

/// Opens the ledger of a place with a clock that stands at a moment, and gives the clock as well.
pub(super) async fn open_at(place: &dyn Place, millis: u64) -> (Ledger, Clock) {
    let clock = Clock::manual(Timestamp(millis));
    (place.open(clock.clone()).await, clock)
}
