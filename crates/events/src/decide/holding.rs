//! How the parts of a group's state hang together: an event is at one place, and all that point to it
//! agree.

use crate::{
    decide::{
        entry::{Entry, Mark, Status, Taken},
        group::Group,
    },
    facts::{Replay, Shelved},
    key::Key,
    settings::AfterPark,
};
use fairway_ledger::{Position, Version};
use std::ops::Bound::{Excluded, Unbounded};

impl Group {
    /// Begins to hold an event.
    pub(super) fn insert(&mut self, entry: Entry) {
        let (position, status, key) = (entry.at.position, entry.status, entry.key);
        self.bytes += entry.bytes();
        self.entries.insert(position, entry);
        if let Some(key) = key {
            self.lanes.entry(key).or_default().queue.insert(position);
        }
        self.enter(position, status);
        self.offer(key);
    }

    /// Takes in an event that was to be read.
    pub(super) fn fill(&mut self, event: Taken) {
        let position = event.at.position;
        let Some(entry) = self.entries.get_mut(&position) else { return };
        if entry.status != Status::Absent {
            return;
        }
        let (before, now) = (entry.key, event.key);
        self.bytes += event.bytes;
        self.fetched += 1;
        entry.key = now;
        entry.event = Some(event);
        if before != now {
            self.leave_lane(position, before);
            if let Some(key) = now {
                self.lanes.entry(key).or_default().queue.insert(position);
            }
        }
        self.set(position, Status::Ready);
    }

    /// Changes what an event waits for.
    pub(super) fn set(&mut self, position: Position, status: Status) {
        let Some(entry) = self.entries.get_mut(&position) else { return };
        let (before, key) = (std::mem::replace(&mut entry.status, status), entry.key);
        self.leave(position, before);
        self.enter(position, status);
        self.offer(key);
    }

    /// Gives a consumer as long for an event as if it had got it now.
    pub(super) fn extend(&mut self, position: Position) {
        let later = self.now.plus(self.settings.ack_timeout);
        let status = self.entries.get_mut(&position).map(|entry| &mut entry.status);
        if let Some(Status::InFlight { until, .. }) = status {
            self.timers.remove(&(*until, position));
            self.timers.insert((later, position));
            *until = later;
        }
    }

    /// Ends to hold an event.
    pub(super) fn remove(&mut self, position: Position) -> Option<Entry> {
        let entry = self.entries.remove(&position)?;
        self.bytes -= entry.bytes();
        self.fetched -= usize::from(entry.is_fetched && entry.event.is_some());
        self.leave(position, entry.status);
        self.leave_lane(position, entry.key);
        self.move_checkpoint();
        Some(entry)
    }

    /// Moves the checkpoint to before the first unfinished event after it.
    pub(super) fn move_checkpoint(&mut self) {
        let after = (Excluded(self.checkpoint.position), Unbounded);
        let before = |Mark { position, version }: Mark| Mark {
            position: Position(position.0 - 1),
            version: Version(version.0.saturating_sub(1)),
        };
        let first = self.entries.range(after).next();
        self.checkpoint = first.map_or(self.taken, |(_, entry)| before(entry.at));
    }

    /// Notes that an event is parked.
    pub(super) fn shelve(&mut self, shelved: Shelved) {
        let Replay { position, key, .. } = shelved.replay;
        self.parked.insert(position, shelved);
        if let (Some(key), AfterPark::KeyWaits) = (key.map(Key), self.settings.after_park) {
            self.lanes.entry(key).or_default().parked.insert(position);
            self.offer(Some(key));
        }
    }

    /// Takes an event from those that are parked.
    pub(super) fn free_parked(&mut self, position: Position) {
        let shelved = self.parked.remove(&position);
        let key = shelved.and_then(|shelved| shelved.replay.key).map(Key);
        if let Some(lane) = key.and_then(|key| self.lanes.get_mut(&key)) {
            lane.parked.remove(&position);
        }
        self.offer(key);
    }

    fn enter(&mut self, position: Position, status: Status) {
        let key = self.entries.get(&position).and_then(|entry| entry.key);
        match status {
            Status::Absent => drop(self.absent.insert(position)),
            Status::Ready if key.is_none() => drop(self.ready.insert(position)),
            Status::Ready => {}
            Status::Recording => self.recording += 1,
            Status::Waiting { until } => drop(self.timers.insert((until, position))),
            Status::InFlight { member, until } => {
                self.timers.insert((until, position));
                self.in_flight += 1;
                self.members.deliver(member, position);
                if let Some(lane) = key.and_then(|key| self.lanes.get_mut(&key)) {
                    lane.in_flight = Some(position);
                }
            }
        }
    }

    fn leave(&mut self, position: Position, status: Status) {
        match status {
            Status::Absent => drop(self.absent.remove(&position)),
            Status::Ready => drop(self.ready.remove(&position)),
            Status::Recording => self.recording -= 1,
            Status::Waiting { until } => drop(self.timers.remove(&(until, position))),
            Status::InFlight { member, until } => {
                self.timers.remove(&(until, position));
                self.in_flight -= 1;
                if let Some(member) = self.members.get_mut(member) {
                    member.in_flight.remove(&position);
                }
            }
        }
        let key = self.entries.get(&position).and_then(|entry| entry.key);
        if let Some(lane) = key.and_then(|key| self.lanes.get_mut(&key)) {
            lane.in_flight = lane.in_flight.filter(|&other| other != position);
            lane.offered = lane.offered.filter(|&other| other != position);
        }
    }

    fn leave_lane(&mut self, position: Position, key: Option<Key>) {
        if let Some(lane) = key.and_then(|key| self.lanes.get_mut(&key)) {
            lane.queue.remove(&position);
            lane.in_flight = lane.in_flight.filter(|&other| other != position);
            lane.offered = lane.offered.filter(|&other| other != position);
        }
        self.offer(key);
    }

    /// Makes the head of a key, and nothing else of it, ready to be handed out.
    fn offer(&mut self, key: Option<Key>) {
        let Some(key) = key else { return };
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        let is_ready =
            |head: &Position| self.entries.get(head).is_some_and(|e| e.status == Status::Ready);
        let head = lane.head().filter(is_ready);
        if head != lane.offered {
            if let Some(other) = lane.offered {
                self.ready.remove(&other);
            }
            self.ready.extend(head);
            lane.offered = head;
        }
        if lane.is_empty() {
            self.lanes.remove(&key);
        } else if !lane.parked.is_empty() {
            self.touched.insert(key);
        }
    }
}
