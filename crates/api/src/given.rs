//! What tests of several parts begin with.

use fairway_ledger::{Event, EventId, NewEvent, Position, StreamName, Version};
use fairway_model::Timestamp;

/// An event as it is read after it was appended.
pub(crate) fn appended(event: NewEvent) -> Event {
    Event {
        position: Position(9),
        stream: StreamName::trusted("shop/order-7"),
        version: Version(2),
        id: event.id.unwrap_or(EventId([7; 16])),
        kind: event.kind,
        recorded: Timestamp(1_700_000_000_000),
        data: event.data,
        metadata: event.metadata,
    }
}
