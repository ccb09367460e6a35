//! What is true of the events of a simulated group, kept in the plainest way.

use crate::{decide::Progress, facts::Fact, settings::AfterPark};
use fairway_ledger::Position;
use std::collections::{BTreeMap, BTreeSet};

/// How an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    Open,
    Acked,
    Parked,
    Skipped,
}

struct Simulated {
    key: Option<u64>,
    passes: bool,
    is_truncated: bool,
    stands: Stands,
    /// Whether it was ever not open.
    was_finished: bool,
}

pub(super) struct Model {
    after_park: AfterPark,
    events: Vec<Simulated>,
    taken: Position,
    checkpoint: Position,
    /// Those that consumers have.
    pub(super) in_flight: BTreeSet<Position>,
    /// Those that a fact has finished which the group learns of now; another one may replay them.
    passing: BTreeSet<Position>,
}

impl Model {
    pub(super) fn new(after_park: AfterPark) -> Self {
        let (taken, checkpoint) = (Position(0), Position(0));
        let (in_flight, passing) = (BTreeSet::new(), BTreeSet::new());
        Self { after_park, events: Vec::new(), taken, checkpoint, in_flight, passing }
    }

    pub(super) fn append(&mut self, key: Option<u64>, passes: bool) {
        let stands = Stands::Open;
        let event = Simulated { key, passes, is_truncated: false, stands, was_finished: false };
        self.events.push(event);
    }

    fn at(&self, position: Position) -> &Simulated {
        &self.events[usize::try_from(position.0 - 1).unwrap()]
    }

    fn at_mut(&mut self, position: Position) -> &mut Simulated {
        &mut self.events[usize::try_from(position.0 - 1).unwrap()]
    }

    fn set(&mut self, position: Position, stands: Stands) {
        let event = self.at_mut(position);
        event.stands = stands;
        event.was_finished |= stands != Stands::Open;
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn end(&self) -> Position {
        Position(self.events.len() as u64)
    }

    pub(super) fn key(&self, position: Position) -> Option<u64> {
        self.at(position).key
    }

    pub(super) fn is_there(&self, position: Position) -> bool {
        let event = self.at(position);
        event.passes && !event.is_truncated
    }

    pub(super) fn truncate(&mut self, position: Position) {
        self.at_mut(position).is_truncated = true;
    }

    fn positions(&self) -> impl Iterator<Item = Position> + use<> {
        (1..=self.end().0).map(Position)
    }

    pub(super) fn taken(&mut self, to: Position) {
        self.taken = to;
    }

    pub(super) fn acked(&mut self, position: Position) {
        self.set(position, Stands::Acked);
    }

    /// The group learns of facts.
    pub(super) fn told(&mut self, facts: &[Fact]) {
        self.passing.clear();
        for fact in facts {
            self.told_one(fact);
        }
    }

    fn told_one(&mut self, fact: &Fact) {
        match fact {
            Fact::Parked(failure) => {
                self.set(failure.position, Stands::Parked);
                self.passing.insert(failure.position);
            }
            Fact::Skipped { position, .. } => {
                self.set(*position, Stands::Skipped);
                self.passing.insert(*position);
            }
            Fact::Replayed { events } => {
                for event in events {
                    self.set(event.position, Stands::Open);
                }
            }
            Fact::Created { .. }
            | Fact::Updated { .. }
            | Fact::Removed
            | Fact::Progressed { .. } => {}
        }
    }

    /// The events that stand so by the facts that are recorded.
    pub(super) fn recorded(
        &self,
        facts: &[Fact],
        stands: Stands,
    ) -> impl Iterator<Item = Position> + use<> {
        let mut by_fact = BTreeMap::new();
        for fact in facts {
            match fact {
                Fact::Parked(failure) => drop(by_fact.insert(failure.position, Stands::Parked)),
                Fact::Skipped { position, .. } => {
                    by_fact.insert(*position, Stands::Skipped);
                }
                Fact::Replayed { events } => {
                    by_fact.extend(events.iter().map(|event| (event.position, Stands::Open)));
                }
                Fact::Created { .. }
                | Fact::Updated { .. }
                | Fact::Removed
                | Fact::Progressed { .. } => {}
            }
        }
        by_fact.into_iter().filter(move |(_, found)| *found == stands).map(|(position, _)| position)
    }

    /// Only what is stored is known: the facts up to those of the progress, and the progress.
    pub(super) fn restored(&mut self, progress: &Progress, facts: &[Fact]) {
        self.taken = progress.taken.position;
        self.in_flight.clear();
        self.checkpoint = progress.checkpoint.position;
        let known = usize::try_from(progress.facts.0).unwrap();
        let of = |stands| self.recorded(&facts[..known], stands).collect::<BTreeSet<_>>();
        let (parked, skipped) = (of(Stands::Parked), of(Stands::Skipped));
        for position in self.positions() {
            let is_listed = progress.unfinished.iter().any(|u| u.0 == position);
            let stands = if is_listed {
                Stands::Open
            } else if parked.contains(&position) {
                Stands::Parked
            } else if skipped.contains(&position) {
                Stands::Skipped
            } else if position <= self.taken {
                Stands::Acked
            } else {
                Stands::Open
            };
            self.set(position, stands);
        }
    }

    fn holds_back(&self, position: Position) -> bool {
        match self.at(position).stands {
            Stands::Open => self.is_there(position),
            Stands::Parked => self.after_park == AfterPark::KeyWaits,
            Stands::Acked | Stands::Skipped => false,
        }
    }

    /// An event is handed out.
    pub(super) fn delivered(&mut self, position: Position) {
        let event = self.at(position);
        assert!(event.passes && position <= self.taken);
        assert_eq!(event.stands, Stands::Open, "what is finished is not handed out: {position}");
        assert!(!self.in_flight.contains(&position), "it is with one consumer at most");
        self.in_flight.insert(position);
        let Some(key) = self.key(position) else { return };
        let same = self.positions().filter(|&other| self.key(other) == Some(key));
        for other in same.filter(|&other| other != position) {
            assert!(!self.in_flight.contains(&other), "one of a key at a time: {position} {other}");
            let is_before = other < position;
            assert!(!is_before || !self.holds_back(other), "in order: {position} after {other}");
        }
    }

    /// An event need not be held any more.
    pub(super) fn forgotten(&mut self, position: Position) {
        let is_passing = self.passing.contains(&position);
        let is_finished = is_passing || self.at(position).stands != Stands::Open;
        assert!(is_finished || !self.is_there(position), "it is finished: {position}");
    }

    /// Progress is to be stored.
    pub(super) fn saved(&mut self, progress: &Progress) {
        assert!(progress.checkpoint.position >= self.checkpoint, "a checkpoint never goes back");
        self.checkpoint = progress.checkpoint.position;
        for position in self.positions().filter(|&position| self.is_there(position)) {
            let event = self.at(position);
            let is_listed = progress.unfinished.iter().any(|u| u.0 == position);
            if position <= progress.taken.position {
                assert_eq!(is_listed, event.stands == Stands::Open, "{position}");
            }
            if position <= self.checkpoint {
                assert!(event.was_finished, "a checkpoint passes what is finished: {position}");
            }
        }
    }

    /// Whether all is done and nothing is parked.
    pub(super) fn is_done(&self, facts: &[Fact]) -> bool {
        let is_open = |position: &Position| {
            self.at(*position).stands == Stands::Open && self.is_there(*position)
        };
        self.taken == self.end()
            && !self.positions().any(|position| is_open(&position))
            && self.recorded(facts, Stands::Parked).next().is_none()
    }
}
