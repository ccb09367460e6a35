//! `$maxCount` and `$maxAge` of a stream's metadata: what readers of the stream do not see any more.
//! Readers of `$all` do, and the events stay in the ledger.

use crate::status;
use fairway_ledger::{Event, From, Ledger, METADATA_KIND, Read, Scope, StreamState, Version};
use fairway_model::Timestamp;
use serde_json::Value;
use tonic::Status;

/// The newest event of metadata counts.
const MAX_COUNT: &str = "$maxCount";
const MAX_AGE: &str = "$maxAge";

/// Which events of a stream are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Those after this version.
    pub(crate) after: Version,
    /// Those recorded then or later.
    since: Timestamp,
}

impl Kept {
    const ALL: Self = Self { after: Version(0), since: Timestamp(0) };

    /// What the metadata of a stream say.
    pub(crate) async fn of(ledger: &Ledger, state: &StreamState) -> Result<Self, Status> {
        let Some(about) = state.name.metadata_stream() else { return Ok(Self::ALL) };
        let last = Read::new(Scope::Stream(about, From::Before(Version::END)), 1);
        let last = ledger.read(last).await.map_err(|error| status::ledger(&error))?;
        let metadata = last.first().and_then(metadata).unwrap_or_default();
        Ok(Self::by(&metadata, state.version, ledger.clock().now()))
    }

    fn by(metadata: &Value, version: Version, now: Timestamp) -> Self {
        let number = |name: &str| metadata.get(name).and_then(Value::as_u64);
        let after = number(MAX_COUNT).map_or(0, |count| version.0.saturating_sub(count));
        let since =
            number(MAX_AGE).map_or(0, |seconds| now.0.saturating_sub(seconds.saturating_mul(1000)));
        Self { after: Version(after), since: Timestamp(since) }
    }

    pub(crate) fn keeps(&self, event: &Event) -> bool {
        event.version > self.after && event.recorded >= self.since
    }
}

fn metadata(event: &Event) -> Option<Value> {
    let text = event.data.as_json().filter(|_| event.kind == METADATA_KIND)?;
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn old_events_are_over_the_count_or_the_age() {
        let by = |metadata| Kept::by(&metadata, Version(10), Timestamp(90_000));
        let kept = |after, since| Kept { after: Version(after), since: Timestamp(since) };
        assert_eq!(by(json!({})), kept(0, 0));
        assert_eq!(by(json!({"$maxCount": 3})), kept(7, 0));
        assert_eq!(by(json!({"$maxCount": 30, "$maxAge": 60})), kept(0, 30_000));
        assert_eq!(by(json!({"$maxCount": "3", "$maxAge": -1})), kept(0, 0));
        assert_eq!(by(json!(7)), kept(0, 0));
    }
}
