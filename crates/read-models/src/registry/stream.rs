//! The streams with facts about read models.

use fairway_ledger::{Filter, StreamName};
use fairway_model::ReadModelName;

const PREFIX: &str = "$read-model-";
/// What comes before the first `-` of the streams' names.
const CATEGORY: &str = "$read";

/// The stream of facts about a read model.
pub(crate) fn stream_of(name: &ReadModelName) -> StreamName {
    let name = format!("{PREFIX}{name}");
    name.parse().expect("a name of a read model is a part of a name of a stream")
}

/// The read model that a stream is about.
pub(crate) fn model_of(stream: &StreamName) -> Option<ReadModelName> {
    stream.as_str().strip_prefix(PREFIX)?.parse().ok()
}

/// Lets facts about read models through.
pub(crate) fn facts_filter() -> Filter {
    let streams = vec![PREFIX.to_owned()];
    Filter { streams, ..Filter::category(CATEGORY) }
}
