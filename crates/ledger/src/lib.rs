//! The ledger: every decision and fact of Fairway as an event, in order and on disk.
//!
//! Events are appended to streams with an expected version, get a global position without gaps in
//! the order of their commits, and are synced to disk before an append is acknowledged. Several
//! processes may use one ledger at once. Projections fold events into rows that are stored with
//! their position, so that what is asked for is there without reading the whole ledger.

mod append;
mod clock;
mod database;
mod error;
mod event;
mod fold;
mod ledger;
mod projection;
mod reader;
mod rows;
mod stream_name;
mod subscription;
mod writer;

pub use append::{
    Append, AppendError, Appended, BATCH_BYTES_MAX, BATCH_EVENTS_MAX, EVENT_BYTES_MAX, Expected,
};
pub use clock::Clock;
pub use error::LedgerError;
pub use event::{
    DecodeError, Event, EventError, Json, KIND_MAX, METADATA_BYTES_MAX, NewEvent, Position, Version,
};
pub use ledger::Ledger;
pub use projection::{Key, Projection};
pub use reader::{PAGE_BYTES_MAX, PAGE_EVENTS_MAX};
pub use rows::ROWS_MAX;
pub use stream_name::{STREAM_NAME_MAX, StreamName, StreamNameError};
pub use subscription::Subscription;
