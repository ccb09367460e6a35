//! Which keys wait behind a failed event, and when that is tried again.

use crate::target::TRIES_MAX;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// The first pause before an event is tried again; each later one is ten times as long.
const PAUSE: Duration = Duration::from_millis(100);

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

    /// What waits with a key is to be tried now.
    pub(crate) fn go_on(&mut self, key: String, now: Instant) {
        self.keys.insert(key, Some(now));
    }

    /// All that waited with a key is taken in.
    pub(crate) fn release(&mut self, key: &str) {
        self.keys.remove(key);
    }

    /// The keys that wait.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &String> {
        self.keys.keys()
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
        held.release("a");
        assert!(held.is_empty());
    }
}
