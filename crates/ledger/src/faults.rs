//! What can be wrong with a ledger that is there and can be opened.

use crate::{
    event::{Position, Version},
    read::StreamState,
    stream_name::StreamName,
};

/// Most faults that a check names.
pub const FAULTS_MAX: usize = 100;

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The backend finds its own structures damaged.
    #[error("the storage is damaged: {0}")]
    Storage(String),
    /// An event is gone that nobody truncated.
    #[error("stream `{stream}` lacks its event of version {version}, which was not truncated")]
    Missing {
        /// The stream.
        stream: StreamName,
        /// The first version that is missing.
        version: Version,
    },
    /// A stream has another version than its last event.
    #[error("stream `{stream}` is noted with version {noted}, its last event has version {last}")]
    StreamVersion {
        /// The stream.
        stream: StreamName,
        /// What is noted.
        noted: Version,
        /// What its events say.
        last: Version,
    },
    /// There are more positions without event than events that were truncated, or fewer.
    #[error("{holes} positions have no event, but {truncated} events were truncated")]
    Holes {
        /// Positions without event.
        holes: u64,
        /// Events that were truncated.
        truncated: u64,
    },
    /// An event belongs to no stream, or to another category than its stream.
    #[error("event {0} does not belong to a stream and its category")]
    Stray(Position),
    /// Data or metadata that have to be JSON are not.
    #[error("{part} of event {position} are not JSON")]
    Json {
        /// The event.
        position: Position,
        /// Data or metadata.
        part: &'static str,
    },
    /// Two events of a stream have one id.
    #[error("event {0} has the id of an earlier event of its stream")]
    DoubleId(Position),
    /// An event was recorded before the one in front of it.
    #[error("event {0} is recorded earlier than the one before it")]
    Time(Position),
    /// A snapshot is of a version that its stream does not have.
    #[error("a snapshot of stream `{stream}` is of version {version}, which is not there")]
    Snapshot {
        /// The stream.
        stream: StreamName,
        /// The snapshot's version.
        version: Version,
    },
    /// Stored rows claim to know events that are not there.
    #[error("projection `{name}` is at position {position}, after the last event")]
    Projection {
        /// The projection.
        name: String,
        /// Its position.
        position: Position,
    },
}

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

impl StreamState {
    /// Holds what is noted of the stream against the events that it has; a gap between these is left
    /// to be found.
    pub fn faults(&self, has: Option<Span>) -> Vec<Fault> {
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
}
