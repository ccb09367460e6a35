//! Keys that wait for a parked event: what comes after it is parked behind it, so that it takes no
//! room from other keys, and is handed out again when there is nothing left to wait for.

use crate::{
    decide::{entry::Status, fate::Cause, group::Group, lane::Lane, step::Action},
    facts::{Fact, PARKED_MAX, REPLAY_MAX, Replay},
    key::Key,
};
use fairway_ledger::Position;
use std::ops::Bound::{Excluded, Unbounded};

impl Group {
    /// Looks at the keys of which something changed.
    pub(super) fn clear_lanes(&mut self) {
        for key in std::mem::take(&mut self.touched) {
            let Some(lane) = self.lanes.get(&key) else { continue };
            let Some(&first) = lane.parked.first() else { continue };
            let is_behind = |at: &Position| self.parked.get(at).is_some_and(|it| it.is_behind);
            let is_first = lane.queue.first().is_none_or(|&unfinished| unfinished > first);
            if self.releasing.contains(&key) {
                continue;
            }
            if is_first && is_behind(&first) {
                self.release(key);
            } else {
                self.shelve_after(key, first);
            }
        }
    }

    /// What was parked behind an event that is done is handed out again, up to the next one that
    /// failed.
    fn release(&mut self, key: Key) {
        let Some(lane) = self.lanes.get(&key) else { return };
        let shelved = lane.parked.iter().filter_map(|at| self.parked.get(at));
        let behind = shelved.take_while(|shelved| shelved.is_behind).take(REPLAY_MAX);
        let events: Vec<Replay> = behind.map(|shelved| shelved.replay).collect();
        self.releasing.insert(key);
        self.actions.push(Action::Record(Fact::Replayed { events }));
    }

    /// Parks what is ready of a key after an event that is parked.
    fn shelve_after(&mut self, key: Key, first: Position) {
        let room = PARKED_MAX.saturating_sub(self.parked.len() + self.recording);
        let is_ready = |at: &&Position| {
            self.entries.get(at).is_some_and(|entry| entry.status == Status::Ready)
        };
        let after = |lane: &Lane| {
            let after = lane.queue.range((Excluded(first), Unbounded));
            after.filter(is_ready).take(room).copied().collect::<Vec<_>>()
        };
        let reason = format!("event {first} of its key is parked");
        for position in self.lanes.get(&key).map(after).unwrap_or_default() {
            self.park(position, &reason, Cause::Behind);
        }
    }
}
