//! Which keys wait behind a failed event, and when that is tried again.

use crate::target::TRIES_MAX;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::{Duration, Instant},
};

/// The first pause before an event is tried again; each later one is ten times as long.
const PAUSE: Duration = Duration::from_millis(100);

/// What came of trying parked events again.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    /// Keys of which an event failed once more.
    pub(crate) failed: BTreeSet<String>,
    /// Keys of which an event was taken in.
    pub(crate) taken: BTreeSet<String>,
    /// Whether all that waits was to be tried.
    pub(crate) is_of_all: bool,
}

/// The keys that wait. Pure: who calls brings the time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    keys: HashMap<String, Option<Instant>>,
}

impl Held {
    /// What waits after a start: what has tries left is tried at once.
    pub(crate) fn restore(rows: impl Iterator<Item = (String, u32)>, now: Instant) -> Self {
        Self { keys: rows.map(|(key, tries)| (key, (tries <= TRIES_MAX).then_some(now))).collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether events with a key have to wait.
    pub(crate) fn holds(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// An event failed for the `tries`th time: those with its key wait.
    pub(crate) fn fail(&mut self, key: String, tries: u32, now: Instant) {
        let pause = || PAUSE * 10_u32.pow(tries.saturating_sub(1).min(TRIES_MAX));
        let due = (tries <= TRIES_MAX).then(|| now + pause());
        self.keys.insert(key, due);
    }

    /// Goes on after events were tried again; something waits still with the keys that are `left`.
    /// Where none of that failed, it was too much for one time and is to be tried now.
    pub(crate) fn settle(&mut self, left: &HashSet<String>, tried: &Tried, now: Instant) {
        self.keys.retain(|key, _| left.contains(key));
        for (key, due) in &mut self.keys {
            let is_wanted = tried.is_of_all || tried.taken.contains(key);
            if is_wanted && !tried.failed.contains(key) {
                *due = Some(now);
            }
        }
    }

    /// Keys that are to be tried again now.
    pub(crate) fn due_keys(&self, now: Instant) -> Vec<String> {
        let due = self.keys.iter().filter(|(_, due)| due.is_some_and(|due| due <= now));
        due.map(|(key, _)| key.clone()).collect()
    }

    /// How long until something is to be tried again.
    pub(crate) fn due_in(&self, now: Instant) -> Option<Duration> {
        let next = self.keys.values().flatten().min()?;
        Some(next.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_tried_again_with_growing_pauses_and_then_waits_for_a_person() {
        let (mut held, start) = (Held::default(), Instant::now());
        let pauses = [Some(100), Some(1_000), Some(10_000), None];
        for (tries, pause) in (1..).zip(pauses) {
            held.fail("a".to_owned(), tries, start);
            assert_eq!(held.due_in(start), pause.map(Duration::from_millis), "{tries}");
        }
        assert!(held.holds("a") && !held.holds("b"));
        held.settle(&HashSet::new(), &Tried::default(), start);
        assert!(held.is_empty());
    }

    #[test]
    fn what_was_too_much_for_one_time_is_tried_at_once_and_what_failed_is_not() {
        let (mut held, start) = (Held::default(), Instant::now());
        for key in ["failed", "taken", "untried"] {
            held.fail(key.to_owned(), TRIES_MAX + 1, start);
        }
        let set = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        let tried = Tried { failed: set(&["failed"]), taken: set(&["taken"]), is_of_all: false };
        let left = ["failed", "taken", "untried"].map(str::to_owned).into();
        held.settle(&left, &tried, start);
        assert_eq!(held.due_keys(start), ["taken"]);
        held.settle(&left, &Tried { is_of_all: true, ..tried }, start);
        let mut due = held.due_keys(start);
        due.sort();
        assert_eq!(due, ["taken", "untried"]);
    }
}
