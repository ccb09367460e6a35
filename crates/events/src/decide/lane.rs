//! The unfinished events of one key: one after another.

use fairway_ledger::Position;
use std::collections::BTreeSet;

/// The unfinished events of one key.
#[derive(Debug, Clone, Default)]
pub(super) struct Lane {
    /// All of them.
    pub(super) queue: BTreeSet<Position>,
    /// The one that a consumer has.
    pub(super) in_flight: Option<Position>,
    /// Those that are parked and hold back later ones.
    pub(super) parked: BTreeSet<Position>,
    /// The one that is among those ready.
    pub(super) offered: Option<Position>,
}

impl Lane {
    /// The only event that may be handed out next.
    pub(super) fn head(&self) -> Option<Position> {
        let head = self.queue.first().copied().filter(|_| self.in_flight.is_none())?;
        let is_held = self.parked.first().is_some_and(|&parked| parked < head);
        (!is_held).then_some(head)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.parked.is_empty()
    }
}
