//! What a server says of what goes wrong: the same text once in a while, with how often it was, so
//! that a fault that every request meets is no flood of lines.

use crate::words::counted;
use std::{
    collections::HashMap,
    future::pending,
    time::{Duration, Instant},
};
use tokio::{sync::mpsc, time::sleep_until};

/// How long the same text is not said again.
const PAUSE: Duration = Duration::from_secs(10);
/// Most texts that are remembered; what others say meanwhile is counted, not said.
const TEXTS_MAX: usize = 32;
/// What is said in place of texts for which there is no room.
const OTHERS: &str = "more went wrong in other ways";

/// Which texts were said, and how often they came since.
#[derive(Debug, Default)]
pub struct Remarks {
    said: HashMap<String, Said>,
}

#[derive(Debug)]
struct Said {
    at: Instant,
    /// How often it came since.
    again: u64,
}

impl Remarks {
    /// Waits for what is to be said next of faults. Dropped before that, it loses nothing.
    pub async fn next(&mut self, faults: &mut mpsc::Receiver<String>) -> Vec<String> {
        loop {
            let due_at = self.due_at();
            let due = async {
                match due_at {
                    Some(at) => sleep_until(at.into()).await,
                    None => pending().await,
                }
            };
            let told = tokio::select! {
                Some(fault) = faults.recv() => {
                    self.hear(fault.trim_end(), Instant::now()).into_iter().collect()
                }
                () = due => self.due(Instant::now()),
            };
            if !told.is_empty() {
                return told;
            }
        }
    }

    /// What is to be said of a text that comes now; none if it is only counted.
    fn hear(&mut self, text: &str, now: Instant) -> Option<String> {
        let is_known = self.said.contains_key(text);
        let text = if is_known || self.said.len() < TEXTS_MAX { text } else { OTHERS };
        if let Some(said) = self.said.get_mut(text) {
            said.again += 1;
            return None;
        }
        self.said.insert(text.to_owned(), Said { at: now, again: 0 });
        Some(text.to_owned())
    }

    /// What is to be said of texts that came again and were not said for long enough. A text that did
    /// not come again is forgotten, and then said at once.
    fn due(&mut self, now: Instant) -> Vec<String> {
        let mut due = Vec::new();
        self.said.retain(|text, said| {
            if now.duration_since(said.at) < PAUSE {
                return true;
            }
            let again = std::mem::take(&mut said.again);
            if again > 0 {
                let (times, seconds) = (counted(again, "more time"), PAUSE.as_secs());
                due.push(format!("{text} ({times} in {seconds} s)"));
                said.at = now;
            }
            again > 0
        });
        due
    }

    /// When something is due; none while there is nothing to be said again or forgotten.
    fn due_at(&self) -> Option<Instant> {
        self.said.values().map(|said| said.at + PAUSE).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_in_a_while_with_its_count() {
        let (mut remarks, start) = (Remarks::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(remarks.due_at(), None);
        assert_eq!(remarks.hear("it was moved", at(0)).as_deref(), Some("it was moved"));
        for _ in 0..35_942 {
            assert_eq!(remarks.hear("it was moved", at(6)), None);
        }
        assert_eq!(remarks.hear("the disk is full", at(7)).as_deref(), Some("the disk is full"));
        assert_eq!(remarks.due(at(9)), Vec::<String>::new());
        assert_eq!(remarks.due_at(), Some(at(10)));
        assert_eq!(remarks.due(at(10)), ["it was moved (35942 more times in 10 s)"]);
        assert_eq!(remarks.due(at(20)), Vec::<String>::new());
        assert_eq!(remarks.due_at(), None, "nothing is remembered");
        assert_eq!(remarks.hear("it was moved", at(21)).as_deref(), Some("it was moved"));
    }

    #[test]
    fn many_different_texts_are_counted_together() {
        let (mut remarks, now) = (Remarks::default(), Instant::now());
        let said = (0..1_000).filter_map(|number| remarks.hear(&number.to_string(), now));
        let said: Vec<String> = said.collect();
        assert_eq!(said.len(), TEXTS_MAX + 1);
        assert_eq!(said.last().map(String::as_str), Some(OTHERS));
        let due = remarks.due(now + PAUSE);
        assert_eq!(due, [format!("{OTHERS} (967 more times in 10 s)")]);
    }
}
