//! Events as clients read them.

use crate::{
    expected::identifier,
    proposed,
    wire::shared::{
        Position as WirePosition, RecordedEvent, Seconds, Uuid, UuidOption, uuid, uuid_option,
    },
};
use fairway_ledger::{Data, Event, EventId, Position};
use fairway_model::Timestamp;
use std::{borrow::Cow, collections::BTreeMap};

/// Ticks of 100 nanoseconds in a millisecond.
const TICKS: u64 = 10_000;

/// In which form ids are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ids {
    Text,
    Halves,
}

impl Ids {
    pub(crate) fn wanted(option: Option<UuidOption>) -> Self {
        match option.and_then(|option| option.content) {
            Some(uuid_option::Content::Structured(())) => Self::Halves,
            _ => Self::Text,
        }
    }

    pub(crate) fn send(self, id: EventId) -> Uuid {
        let value = match self {
            Self::Text => uuid::Value::String(id.to_string()),
            Self::Halves => {
                let bits = u128::from_be_bytes(id.0);
                uuid::Value::Structured(uuid::Structured {
                    most_significant_bits: half(bits >> 64),
                    least_significant_bits: half(bits),
                })
            }
        };
        Uuid { value: Some(value) }
    }

    pub(crate) fn event(self, event: Event) -> RecordedEvent {
        let content = match &event.data {
            Data::Json(_) => proposed::JSON,
            Data::Bytes(_) => proposed::BYTES,
        };
        let kind = shown_type(&event).into_owned();
        let created = event.recorded.0.saturating_mul(TICKS).to_string();
        RecordedEvent {
            id: Some(self.send(event.id)),
            stream_identifier: Some(identifier(&event.stream)),
            stream_revision: event.version.0.saturating_sub(1),
            prepare_position: event.position.0,
            commit_position: event.position.0,
            metadata: BTreeMap::from([
                ("type".to_owned(), kind),
                ("created".to_owned(), created),
                ("content-type".to_owned(), content.to_owned()),
            ]),
            custom_metadata: into_bytes(event.metadata),
            data: into_bytes(event.data),
        }
    }
}

/// The type that clients see. Those of the ledger's own streams begin with `$`, by which clients know
/// what they leave out.
pub(crate) fn shown_type(event: &Event) -> Cow<'_, str> {
    let kind = event.kind.as_str();
    if event.stream.is_system() && !kind.starts_with('$') {
        Cow::Owned(format!("${kind}"))
    } else {
        Cow::Borrowed(kind)
    }
}

/// The lower half of the bits.
fn half(bits: u128) -> i64 {
    let bytes = bits.to_be_bytes();
    i64::from_be_bytes(bytes[8..].try_into().expect("half of 16 bytes"))
}

fn into_bytes(data: Data) -> Vec<u8> {
    match data {
        Data::Json(json) => json.as_str().as_bytes().to_vec(),
        Data::Bytes(bytes) => bytes,
    }
}

/// A position as commit and prepare position.
pub(crate) fn position(position: Position) -> WirePosition {
    WirePosition { commit_position: position.0, prepare_position: position.0 }
}

/// A moment.
pub(crate) fn moment(Timestamp(millis): Timestamp) -> Seconds {
    let nanos = i32::try_from(millis % 1000).expect("less than 1000") * 1_000_000;
    Seconds { seconds: i64::try_from(millis / 1000).unwrap_or(i64::MAX), nanos }
}
