//! The state of a group, and how its parts hang together.

use crate::{
    decide::{
        entry::{Entry, Mark, Status, Taken},
        lane::Lane,
        member::{Member, MemberId, Members},
        progress::{Progress, Unfinished},
        step::Action,
    },
    key::Key,
    settings::{AfterPark, Settings},
};
use fairway_ledger::{Position, Version};
use fairway_model::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound::{Excluded, Unbounded},
    time::Duration,
};

/// While events of so many bytes are held, no more are read.
pub(crate) const BUFFER_BYTES_MAX: usize = 32 << 20;
/// How often progress becomes a fact, if there is any.
const RECORD_EVERY: Duration = Duration::from_mins(1);
/// How often consumers that went without a word are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What was done since the group is driven.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Events that were handed out, each time counted.
    pub delivered: u64,
    /// Events that were acknowledged.
    pub acked: u64,
    /// Events that failed and are handed out again.
    pub retried: u64,
    /// Of these failures: those where the consumer did not answer in time.
    pub timed_out: u64,
    /// Events that were parked.
    pub parked: u64,
    /// Events that were skipped.
    pub skipped: u64,
    /// Events that were replayed.
    pub replayed: u64,
}

/// The state of a group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(super) settings: Settings,
    pub(super) created: Version,
    pub(super) facts: Version,
    pub(super) now: Timestamp,
    pub(super) entries: BTreeMap<Position, Entry>,
    pub(super) lanes: HashMap<Key, Lane>,
    pub(super) ready: BTreeSet<Position>,
    pub(super) timers: BTreeSet<(Timestamp, Position)>,
    /// Those that are to be read by their positions.
    pub(super) absent: BTreeSet<Position>,
    pub(super) members: Members,
    pub(super) parked: BTreeMap<Position, Option<Key>>,
    /// Finished, but not yet taken from the source.
    pub(super) passed: BTreeSet<Position>,
    pub(super) taken: Mark,
    pub(super) checkpoint: Mark,
    pub(super) in_flight: usize,
    pub(super) bytes: usize,
    /// How many are in memory that were read by their positions.
    pub(super) fetched: usize,
    pub(super) is_loading: bool,
    /// Those that are being read by their positions.
    pub(super) asked: Vec<Position>,
    /// How many wait for a fact to be in the ledger.
    pub(super) recording: usize,
    pub(super) saving: Saving,
    pub(super) look_at: Timestamp,
    pub(super) counters: Counters,
    pub(super) actions: Vec<Action>,
}

/// How far progress is stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Saving {
    /// Finished since then.
    pub(super) unsaved: u32,
    pub(super) at: Timestamp,
    /// The checkpoint that is stored.
    pub(super) checkpoint: Mark,
    /// Whether an event was finished since progress became a fact, and when that was.
    pub(super) is_news: bool,
    pub(super) recorded_at: Timestamp,
    pub(super) record_every: Duration,
    pub(super) is_under_way: bool,
}

impl Group {
    /// A group as its progress says; the rest of its facts are then taken in by steps.
    pub(crate) fn restore(
        settings: Settings,
        progress: Progress,
        parked: BTreeMap<Position, Option<u64>>,
        now: Timestamp,
    ) -> Self {
        let Progress { created, facts, taken, checkpoint, unfinished, passed } = progress;
        let saving = Saving {
            unsaved: 0,
            at: now,
            checkpoint,
            is_news: false,
            recorded_at: now,
            record_every: RECORD_EVERY,
            is_under_way: false,
        };
        let mut group = Self {
            settings,
            created,
            facts,
            now,
            entries: BTreeMap::new(),
            lanes: HashMap::new(),
            ready: BTreeSet::new(),
            timers: BTreeSet::new(),
            absent: BTreeSet::new(),
            members: Members::default(),
            parked: BTreeMap::new(),
            passed: passed.into_iter().collect(),
            taken,
            checkpoint,
            in_flight: 0,
            bytes: 0,
            fetched: 0,
            is_loading: false,
            asked: Vec::new(),
            recording: 0,
            saving,
            look_at: now.plus(LOOK_EVERY),
            counters: Counters::default(),
            actions: Vec::new(),
        };
        for Unfinished(position, version, attempts) in unfinished {
            group.insert(Entry::absent(Mark { position, version }, None, attempts));
        }
        for (position, key) in parked {
            group.note_parked(position, key.map(Key));
        }
        group
    }

    /// How many more events may be taken from the source.
    pub(crate) fn wants(&self) -> usize {
        if !self.absent.is_empty() || self.is_loading || self.bytes >= BUFFER_BYTES_MAX {
            return 0;
        }
        (self.settings.buffer as usize).saturating_sub(self.entries.len())
    }

    /// When the next step is due, whatever happens.
    pub(crate) fn wake_at(&self) -> Timestamp {
        let timer = self.timers.first().map(|&(at, _)| at);
        let save = self.is_dirty().then(|| self.saving.at.plus(self.settings.save.after));
        [timer, save].into_iter().flatten().fold(self.look_at, Timestamp::min)
    }

    /// What would be stored now.
    pub(crate) fn progress(&self) -> Progress {
        let entry = |entry: &Entry| Unfinished(entry.at.position, entry.at.version, entry.attempts);
        Progress {
            created: self.created,
            facts: self.facts,
            taken: self.taken,
            checkpoint: self.checkpoint,
            unfinished: self.entries.values().map(entry).collect(),
            passed: self.passed.iter().copied().collect(),
        }
    }

    /// Whether a consumer has an event now.
    pub(crate) fn holds(&self, member: MemberId, position: Position) -> bool {
        self.members.get(member).is_some_and(|member| member.in_flight.contains(&position))
    }

    /// The consumers.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&MemberId, &Member)> {
        self.members.iter()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn counters(&self) -> Counters {
        self.counters
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(crate) fn waiting(&self) -> usize {
        let is_waiting = |entry: &&Entry| matches!(entry.status, Status::Waiting { .. });
        self.entries.values().filter(is_waiting).count()
    }

    /// Whether something is to be stored in time.
    pub(super) fn is_dirty(&self) -> bool {
        let Saving { unsaved, checkpoint, is_under_way, .. } = self.saving;
        let is_done = self.entries.is_empty() && (unsaved > 0 || checkpoint != self.checkpoint);
        !is_under_way && (unsaved >= self.settings.save.min || is_done)
    }

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

    pub(super) fn note_parked(&mut self, position: Position, key: Option<Key>) {
        self.parked.insert(position, key);
        if let (Some(key), AfterPark::KeyWaits) = (key, self.settings.after_park) {
            self.lanes.entry(key).or_default().parked.insert(position);
            self.offer(Some(key));
        }
    }

    /// Takes an event from those that are parked.
    pub(super) fn free_parked(&mut self, position: Position) {
        let key = self.parked.remove(&position).flatten();
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
        }
    }

    /// Whether consumers that went without a word are to be looked for now.
    pub(super) fn is_time_to_look(&mut self) -> bool {
        let is_due = self.look_at <= self.now;
        if is_due {
            self.look_at = self.now.plus(LOOK_EVERY);
        }
        is_due
    }
}
