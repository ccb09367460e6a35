//! The state of a group, and how its parts hang together.

use crate::{
    decide::{
        entry::{Entry, Mark, Status},
        lane::Lane,
        member::{Member, MemberId, Members},
        progress::{Progress, Unfinished},
        step::Action,
    },
    facts::Shelved,
    key::Key,
    settings::Settings,
};
use fairway_ledger::{Position, Version};
use fairway_model::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
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
    pub(super) parked: BTreeMap<Position, Shelved>,
    /// Keys of which something changed that is parked, or before something that is.
    pub(super) touched: BTreeSet<Key>,
    /// Keys of which a replay waits to be a fact.
    pub(super) releasing: BTreeSet<Key>,
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
        parked: Vec<Shelved>,
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
            touched: BTreeSet::new(),
            releasing: BTreeSet::new(),
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
        for shelved in parked {
            group.shelve(shelved);
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

    /// Whether consumers that went without a word are to be looked for now.
    pub(super) fn is_time_to_look(&mut self) -> bool {
        let is_due = self.look_at <= self.now;
        if is_due {
            self.look_at = self.now.plus(LOOK_EVERY);
        }
        is_due
    }
}
