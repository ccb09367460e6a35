//! What a look at everything in a ledger amounts to, whatever keeps it: of each stream and each
//! event, what is wrong.

use crate::{
    event::{Position, Version},
    faults::{FAULTS_MAX, Fault},
    read::StreamState,
};
use fairway_model::Timestamp;

/// What a stream has of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// How many.
    pub count: u64,
    /// The lowest version.
    pub low: Version,
    /// The highest version.
    pub high: Version,
}

impl Span {
    /// Whether a version between both ends is missing.
    pub fn has_gap(&self) -> bool {
        self.count != self.high.0 - self.low.0 + 1
    }
}

/// What an event looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// Its position.
    pub position: Position,
    /// When it was recorded.
    pub recorded: Timestamp,
    /// Of data and metadata, what has to be JSON and is not.
    pub unsound: Vec<&'static str>,
    /// Whether it belongs to a stream, and to the category of that.
    pub belongs: bool,
}

/// What was found so far.
#[derive(Debug, Default)]
pub struct Findings {
    faults: Vec<Fault>,
    present: u64,
    truncated: u64,
    recorded: Option<Timestamp>,
}

impl Findings {
    /// Takes in a fault.
    pub fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Whether so much is wrong that the rest is not looked at.
    pub fn is_full(&self) -> bool {
        self.faults.len() >= FAULTS_MAX
    }

    /// Takes in a stream: what is noted of it, its category, and what it has of events. A gap
    /// between these is left to be found.
    pub fn stream(&mut self, state: &StreamState, category: Option<&str>, has: Option<Span>) {
        if category != Some(state.name.category()) {
            self.add(Fault::Storage(format!("stream `{}` is in another category", state.name)));
        }
        let count = has.map_or(0, |has| has.count);
        self.truncated += state.version.0.saturating_sub(count);
        self.faults.extend(state.faults(has));
    }

    /// Takes in the next event, by position.
    pub fn event(&mut self, event: Looked) {
        let Looked { position, recorded, unsound, belongs } = event;
        self.present += 1;
        if self.recorded.is_some_and(|before| recorded < before) {
            self.add(Fault::Time(position));
        }
        self.recorded = Some(recorded);
        self.faults.extend(unsound.into_iter().map(|part| Fault::Json { position, part }));
        if !belongs {
            self.add(Fault::Stray(position));
        }
    }

    /// Takes in where the ledger ends, after all streams and all events. What is wrong with these
    /// accounts for positions without event, too.
    pub fn end(&mut self, head: Position) {
        let (holes, truncated) = (head.0.saturating_sub(self.present), self.truncated);
        let is_explained = self.is_full() || self.faults.iter().any(Fault::is_of_events);
        if holes != truncated && !is_explained {
            self.add(Fault::Holes { holes, truncated });
        }
    }

    /// All that is wrong, up to a limit.
    pub fn faults(self) -> Vec<Fault> {
        let mut faults = self.faults;
        faults.truncate(FAULTS_MAX);
        faults
    }
}

impl StreamState {
    /// Holds what is noted of the stream against the events that it has; a gap between these is left
    /// to be found.
    fn faults(&self, has: Option<Span>) -> Vec<Fault> {
        let missing =
            || Fault::Missing { stream: self.name.clone(), version: Version(self.truncated.0 + 1) };
        let Some(has) = has else {
            return (self.truncated < self.version).then(missing).into_iter().collect();
        };
        let mut faults = Vec::new();
        if has.high != self.version {
            let (noted, last) = (self.version, has.high);
            faults.push(Fault::StreamVersion { stream: self.name.clone(), noted, last });
        }
        if has.low.0 > self.truncated.0 + 1 {
            faults.push(missing());
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Standing;

    fn faults(noted: u64, truncated: u64, has: Option<(u64, u64, u64)>) -> Vec<String> {
        let state = StreamState {
            name: "a-1".parse().unwrap(),
            version: Version(noted),
            truncated: Version(truncated),
            standing: Standing::Live,
        };
        let span = |(count, low, high)| Span { count, low: Version(low), high: Version(high) };
        state.faults(has.map(span)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_noted_of_a_stream_fits_its_events() {
        assert!(faults(3, 0, Some((3, 1, 3))).is_empty());
        assert!(faults(3, 2, Some((2, 2, 3))).is_empty(), "swept in part");
        assert!(faults(3, 3, None).is_empty(), "deleted");
        let missing = "stream `a-1` lacks its event of version 1, which was not truncated";
        assert_eq!(faults(3, 0, None), [missing]);
        assert_eq!(faults(3, 0, Some((2, 2, 3))), [missing]);
        let other = "stream `a-1` is noted with version 4, its last event has version 3";
        assert_eq!(faults(4, 0, Some((3, 1, 3))), [other]);
        assert!(Span { count: 2, low: Version(1), high: Version(3) }.has_gap());
    }

    fn looked(position: u64, recorded: u64) -> Looked {
        let (position, recorded) = (Position(position), Timestamp(recorded));
        Looked { position, recorded, unsound: Vec::new(), belongs: true }
    }

    fn stream(version: u64, truncated: u64) -> StreamState {
        let (name, standing) = ("a-1".parse().unwrap(), Standing::Live);
        StreamState { name, version: Version(version), truncated: Version(truncated), standing }
    }

    fn told(findings: Findings) -> Vec<String> {
        findings.faults().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn positions_without_event_are_those_of_truncated_events() {
        let span = Span { count: 2, low: Version(2), high: Version(3) };
        let check = |head, category: &str, positions: &[u64]| {
            let mut findings = Findings::default();
            findings.stream(&stream(3, 1), Some(category), Some(span));
            for position in positions {
                findings.event(looked(*position, 5));
            }
            findings.end(Position(head));
            told(findings)
        };
        assert!(check(3, "a", &[2, 3]).is_empty());
        let hole = "2 positions have no event, but 1 events were truncated";
        assert_eq!(check(4, "a", &[2, 3]), [hole]);
        let other = "the storage is damaged: stream `a-1` is in another category";
        assert_eq!(check(4, "b", &[2, 3]), [other], "which may be why");
    }

    #[test]
    fn events_are_looked_at_one_after_the_other() {
        let mut findings = Findings::default();
        findings.event(looked(1, 5));
        findings.event(Looked { unsound: vec!["data"], ..looked(2, 4) });
        findings.event(Looked { belongs: false, ..looked(3, 4) });
        findings.end(Position(3));
        let expected = [
            "event 2 is recorded earlier than the one before it",
            "data of event 2 are not JSON",
            "event 3 does not belong to a stream and its category",
        ];
        assert_eq!(told(findings), expected);
    }

    #[test]
    fn not_more_is_named_than_a_limit() {
        let mut findings = Findings::default();
        for number in 0..FAULTS_MAX + 5 {
            findings.add(Fault::Time(Position(number as u64)));
        }
        assert!(findings.is_full());
        assert_eq!(findings.faults().len(), FAULTS_MAX);
    }
}
