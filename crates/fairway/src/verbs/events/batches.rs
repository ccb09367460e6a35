//! Batches of an import: which of their events are new, and in which pieces they are appended.

use fairway_ledger::{
    Expected, From, Ledger, LedgerError, NewEvent, Read, Scope, StreamName, Version,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::{HashMap, HashSet};

/// Most events of a batch. As many appends can be on their way at once.
const EVENTS_MAX: usize = 1_000;
/// A batch takes no more events after this many bytes.
const BYTES_MAX: usize = 8 << 20;
/// How many streams are looked at at once.
const LOOKS: usize = 4;

/// An event of a file.
pub struct Entry {
    /// The number of its line.
    pub number: u64,
    /// Its stream.
    pub stream: StreamName,
    /// The version that it has to get.
    pub version: Option<Version>,
    /// The event.
    pub event: NewEvent,
}

/// Events that are read before any of them is appended.
#[derive(Default)]
pub struct Batch {
    entries: Vec<Entry>,
    bytes: usize,
}

/// Neighbouring events of one stream.
pub struct Run {
    /// The number of the first one's line.
    pub number: u64,
    /// The stream.
    pub stream: StreamName,
    /// The version that the stream has to have.
    pub expected: Expected,
    /// The events.
    pub events: Vec<NewEvent>,
}

/// A batch after a look into the ledger.
#[derive(Default)]
pub struct Sorted {
    /// What is to be appended, in order: all that comes before what is refused.
    pub runs: Vec<Run>,
    /// How many events were there already.
    pub present: u64,
    /// The first line that cannot be appended, and why.
    pub refused: Option<(u64, Refusal)>,
}

/// Why an event cannot get its version.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The stream ends earlier.
    #[error("stream `{stream}` has version {actual}, so its next event cannot be version {wanted}")]
    Ahead {
        /// The stream.
        stream: StreamName,
        /// Its version.
        actual: Version,
        /// The version of the event.
        wanted: Version,
    },
    /// The stream has another event there.
    #[error("stream `{stream}` has another event of version {wanted} already")]
    Other {
        /// The stream.
        stream: StreamName,
        /// The version of the event.
        wanted: Version,
    },
}

impl Batch {
    /// Takes one more event.
    pub fn push(&mut self, entry: Entry) {
        self.bytes += entry.event.bytes();
        self.entries.push(entry);
    }

    /// Whether it is to be appended before more is read.
    pub fn is_full(&self) -> bool {
        self.entries.len() >= EVENTS_MAX || self.bytes >= BYTES_MAX
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Looks at the streams, and finds out which events are new.
    pub async fn sort(self, ledger: &Ledger) -> Result<Sorted, LedgerError> {
        let mut versions = self.versions(ledger).await?;
        let mut sorted = Sorted::default();
        for entry in self.entries {
            let actual = versions[&entry.stream];
            let next = Version(actual.0 + 1);
            match entry.version {
                Some(wanted) if wanted < next => {
                    if !is_there(ledger, &entry, wanted).await? {
                        let refusal = Refusal::Other { stream: entry.stream, wanted };
                        sorted.refused = Some((entry.number, refusal));
                        return Ok(sorted);
                    }
                    sorted.present += 1;
                }
                Some(wanted) if wanted > next => {
                    let refusal = Refusal::Ahead { stream: entry.stream, actual, wanted };
                    sorted.refused = Some((entry.number, refusal));
                    return Ok(sorted);
                }
                _ => {
                    versions.insert(entry.stream.clone(), next);
                    sorted.push(entry);
                }
            }
        }
        Ok(sorted)
    }

    /// The versions that the streams have before the batch.
    async fn versions(&self, ledger: &Ledger) -> Result<HashMap<StreamName, Version>, LedgerError> {
        let names: HashSet<&StreamName> = self.entries.iter().map(|entry| &entry.stream).collect();
        let look = |name: &StreamName| {
            let (name, ledger) = (name.clone(), ledger.clone());
            async move {
                let version = ledger.stream(&name).await?.version;
                Ok((name, version))
            }
        };
        stream::iter(names.into_iter().map(look)).buffer_unordered(LOOKS).try_collect().await
    }
}

impl Sorted {
    fn push(&mut self, entry: Entry) {
        let Entry { number, stream, version, event } = entry;
        if let Some(run) = self.runs.last_mut()
            && run.stream == stream
            && (run.expected == Expected::Any) == version.is_none()
        {
            run.events.push(event);
            return;
        }
        let expected = version
            .map_or(Expected::Any, |version| Expected::Exact(Version(version.0.saturating_sub(1))));
        self.runs.push(Run { number, stream, expected, events: vec![event] });
    }
}

/// Whether the stream has just this event at a version. One that was truncated is not missed.
async fn is_there(ledger: &Ledger, entry: &Entry, at: Version) -> Result<bool, LedgerError> {
    let Some(before) = at.0.checked_sub(1) else { return Ok(false) };
    let from = From::After(Version(before));
    let found = ledger.read(Read::new(Scope::Stream(entry.stream.clone(), from), 1)).await?;
    let found = found.first().filter(|event| event.version == at);
    Ok(found.is_none_or(|event| {
        let is_same = (&event.kind, &event.data) == (&entry.event.kind, &entry.event.data);
        entry.event.id.map_or(is_same, |id| id == event.id)
    }))
}
