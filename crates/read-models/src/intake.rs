//! What is done with events that come and with those that wait, decided once for whatever keeps a
//! build. Pure: who calls does what is decided, and brings the time.

use crate::{
    held::{Held, Tried},
    target::{PARKED_MAX, ParkedOf, Replay, Standing},
};
use fairway_ledger::Position;
use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::Instant,
};

/// How far a build is and what waits. A transaction works on a copy, which takes the place of the
/// one before when it is committed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Intake {
    pub(crate) position: Position,
    pub(crate) asks: u64,
    held: Held,
    skipped: Arc<BTreeSet<u64>>,
    parked: u64,
}

/// What is to be done with an event that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It is left out.
    Skip,
    /// It is parked behind one with its key.
    Wait,
    /// It is tried; if it fails, it is parked, and its key waits.
    Try,
}

/// Too much waits for anything to be parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Parked events while they are tried again, in order.
#[derive(Debug)]
pub(crate) struct Again<'r> {
    left: &'r BTreeSet<u64>,
    ask: Option<u64>,
    tried: Tried,
}

impl Intake {
    /// What a build has to remember, as it was stored: how far it is, and the keys that wait, each
    /// with how often its first event was tried.
    pub(crate) fn restore(
        (position, asks): (Position, u64),
        (held, parked): (Vec<(String, u32)>, u64),
        skipped: Arc<BTreeSet<u64>>,
        now: Instant,
    ) -> Self {
        Self { position, asks, held: Held::restore(held.into_iter(), now), skipped, parked }
    }

    /// Decides on an event by its position, and by its key if anything waits.
    pub(crate) fn turn(&self, position: Position, key: impl FnOnce() -> String) -> Turn {
        if self.skipped.contains(&position.0) {
            Turn::Skip
        } else if !self.held.is_empty() && self.held.holds(&key()) {
            Turn::Wait
        } else {
            Turn::Try
        }
    }

    /// Whether one more may be parked.
    pub(crate) fn room(&self) -> Result<(), Full> {
        if self.parked < PARKED_MAX { Ok(()) } else { Err(Full) }
    }

    /// An event is parked behind another.
    pub(crate) fn wait(&mut self) {
        self.parked += 1;
    }

    /// An event failed for the first time and is parked: those with its key wait.
    pub(crate) fn fail(&mut self, key: String, now: Instant) {
        self.parked += 1;
        self.held.fail(key, 1, now);
    }

    /// A parked event failed once more, for the `tries`th time.
    pub(crate) fn fail_again(
        &mut self,
        again: &mut Again,
        (key, tries): (String, u32),
        now: Instant,
    ) {
        self.held.fail(key.clone(), tries, now);
        again.tried.failed.insert(key);
    }

    /// Goes on after parked events were tried again: so many are parked still, with these keys.
    pub(crate) fn settle(
        &mut self,
        again: &Again,
        (parked, keys): (u64, &HashSet<String>),
        now: Instant,
    ) {
        self.held.settle(keys, &again.tried, now);
        self.parked = parked;
        self.asks = again.ask.unwrap_or(self.asks).max(self.asks);
    }

    /// Where to look for parked events, in turn, until enough are found.
    pub(crate) fn looks(&self, of: ParkedOf, now: Instant) -> Vec<ParkedOf> {
        match of {
            ParkedOf::Due => self.held.due_keys(now).into_iter().map(ParkedOf::Key).collect(),
            ParkedOf::All | ParkedOf::Key(_) | ParkedOf::At(_) => vec![of],
        }
    }

    pub(crate) fn standing(&self, now: Instant) -> Standing {
        let Self { position, asks, parked, .. } = *self;
        Standing { position, asks, parked, due: self.held.due_in(now) }
    }
}

impl<'r> Again<'r> {
    pub(crate) fn of(replay: &'r Replay) -> Self {
        let tried = Tried { is_of_all: replay.is_of_all, ..Tried::default() };
        Self { left: &replay.left, ask: replay.ask, tried }
    }

    /// Whether an event is to be tried: a key ends with the first that fails.
    pub(crate) fn is_due(&self, position: Position, key: &str) -> bool {
        !self.left.contains(&position.0) && !self.tried.failed.contains(key)
    }

    /// An event was taken in, and is parked no more.
    pub(crate) fn take(&mut self, key: String) {
        self.tried.taken.insert(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn intake(skipped: &[u64], held: &[(&str, u32)], now: Instant) -> Intake {
        let held = held.iter().map(|(key, tries)| ((*key).to_owned(), *tries)).collect();
        let skipped = Arc::new(skipped.iter().copied().collect());
        Intake::restore((Position(0), 0), (held, 1), skipped, now)
    }

    #[test]
    fn an_event_is_left_out_or_waits_behind_its_key_or_is_tried() {
        let nothing: &[(&str, u32)] = &[];
        for (skipped, held, (position, key), turn) in [
            (&[][..], nothing, (7, "a"), Turn::Try),
            (&[7], nothing, (7, "a"), Turn::Skip),
            (&[8], nothing, (7, "a"), Turn::Try),
            (&[], &[("a", 1)], (7, "a"), Turn::Wait),
            (&[], &[("a", 9)], (7, "a"), Turn::Wait),
            (&[], &[("b", 1)], (7, "a"), Turn::Try),
            (&[7], &[("a", 1)], (7, "a"), Turn::Skip),
        ] {
            let intake = intake(skipped, held, Instant::now());
            let found = intake.turn(Position(position), || key.to_owned());
            assert_eq!(found, turn, "{skipped:?} {held:?} {position} {key}");
        }
    }

    #[test]
    fn what_fails_holds_its_key_and_counts_until_there_is_no_room() {
        let (mut intake, now) = (Intake::default(), Instant::now());
        let turn = |intake: &Intake| intake.turn(Position(7), || "a".to_owned());
        intake.fail("a".to_owned(), now);
        assert_eq!(turn(&intake), Turn::Wait);
        let standing = intake.standing(now);
        assert_eq!((standing.parked, standing.due), (1, Some(Duration::from_millis(100))));
        (2..PARKED_MAX).for_each(|_| intake.wait());
        assert_eq!(intake.room(), Ok(()));
        intake.wait();
        assert_eq!(intake.room(), Err(Full));
    }

    /// Tries parked events, of which those at some positions fail; says which were tried.
    fn replay(
        intake: &mut Intake,
        parked: &[(u64, &str)],
        replay: &Replay,
        bad: &[u64],
    ) -> Vec<u64> {
        let (mut again, now) = (Again::of(replay), Instant::now());
        let mut tried = Vec::new();
        let mut left = HashSet::new();
        for (position, key) in parked {
            let is_due = again.is_due(Position(*position), key);
            if is_due {
                tried.push(*position);
            }
            if is_due && !bad.contains(position) {
                again.take((*key).to_owned());
            } else if !replay.left.contains(position) {
                left.insert((*key).to_owned());
            }
            if is_due && bad.contains(position) {
                intake.fail_again(&mut again, ((*key).to_owned(), 2), now);
            }
        }
        intake.settle(&again, (left.len() as u64, &left), now);
        tried
    }

    #[test]
    fn a_key_is_tried_in_order_up_to_the_first_that_fails() {
        let parked = [(1, "a"), (2, "a"), (3, "b"), (4, "b"), (5, "c")];
        let plain = || Replay { ask: Some(9), ..Replay::default() };
        let without = |position| Replay { left: [position].into(), ..plain() };
        for (given, bad, tried, held) in [
            (plain(), &[][..], &[1, 2, 3, 4, 5][..], &[][..]),
            (plain(), &[1], &[1, 3, 4, 5], &["a"]),
            (plain(), &[2, 5], &[1, 2, 3, 4, 5], &["a", "c"]),
            (without(1), &[], &[2, 3, 4, 5], &[]),
            (without(3), &[4], &[1, 2, 4, 5], &["b"]),
        ] {
            let now = Instant::now();
            let mut intake = intake(&[], &[("a", 1), ("b", 1), ("c", 1)], now);
            assert_eq!(replay(&mut intake, &parked, &given, bad), tried, "{given:?} {bad:?}");
            let holds = |key: &&str| intake.turn(Position(9), || (*key).to_owned()) == Turn::Wait;
            let found: Vec<&str> = ["a", "b", "c"].into_iter().filter(holds).collect();
            assert_eq!(found, held, "{given:?} {bad:?}");
            assert_eq!(intake.asks, 9);
        }
    }

    #[test]
    fn what_is_due_is_looked_for_by_its_keys() {
        let now = Instant::now();
        let intake = intake(&[], &[("due", 1), ("over", 9)], now);
        assert_eq!(intake.looks(ParkedOf::Due, now), [ParkedOf::Key("due".to_owned())]);
        assert_eq!(intake.looks(ParkedOf::All, now), [ParkedOf::All]);
    }
}
