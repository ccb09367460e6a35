//! The ledger: every decision and fact as an event, in order and on disk. Fairway keeps its own in
//! one, and services theirs.
//!
//! Events are appended to streams with an expected version, get a global position without gaps in
//! the order of their commits, and are synced to disk before an append is acknowledged. Several
//! processes may use one ledger at once. Projections fold events into rows that are stored with
//! their position, so that what is asked for is there without reading the whole ledger.
//!
//! A [`Ledger`] is over a [`Store`]: a SQLite file, which is here, or another.

mod append;
mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
mod copying;
mod data;
mod error;
mod event;
mod event_id;
mod faults;
mod filter;
mod findings;
mod fold;
mod judge;
mod kind;
mod ledger;
mod pace;
mod portable;
mod projection;
mod read;
mod retention;
mod sqlite;
mod store;
mod stream_name;
mod subscription;
mod sweeping;

pub use append::{
    Append, AppendError, Appended, BATCH_BYTES_MAX, BATCH_EVENTS_MAX, EVENT_BYTES_MAX, Expected,
    STREAM_EVENTS_MAX, check,
};
pub use clock::Clock;
pub use copying::{CopyError, Copying, Progress};
pub use data::{Data, JSON_DEPTH_MAX, Json};
pub use error::{Cause, LedgerError};
pub use event::{
    CAUSATION, CORRELATION, DecodeError, Event, EventError, METADATA_BYTES_MAX, NewEvent, Position,
    Version,
};
pub use event_id::{EventId, EventIdError, LedgerId};
pub use faults::{FAULTS_MAX, Fault};
pub use filter::{FILTER_TEXTS_MAX, Filter, System};
pub use findings::{Findings, Looked, Span};
pub use fold::ROWS_MAX;
pub use judge::{Before, Judged, Place, Step, judge};
pub use kind::{KIND_MAX, Kind};
pub use ledger::Ledger;
pub use pace::Pace;
pub use portable::{
    Home, ListSnapshots, PAGE_SNAPSHOTS_MAX, Part, Portable, TruncatedId, open_existing,
    open_portable,
};
pub use projection::{Key, Projection};
pub use read::{
    From, ListStreams, PAGE_BYTES_MAX, PAGE_EVENTS_MAX, PAGE_STREAMS_MAX, Read, SNAPSHOTS_MAX,
    Scope, Snapshot, Standing, StreamState,
};
pub use retention::{METADATA_KIND, Retention, TOMBSTONE_KIND, TRUNCATE_BEFORE};
pub use sqlite::{Checked, complete_file, copy_file, open_read_only, put_file};
pub use store::{RowChange, RowSet, Rows, Store, Watch};
pub use stream_name::{METADATA_PREFIX, STREAM_NAME_MAX, StreamName, StreamNameError};
pub use subscription::Subscription;
pub use sweeping::{Piece, Remains, SWEEP_EVENTS, SWEEP_STREAMS_MAX, Sweeping, first_of};

#[cfg(doctest)]
#[doc = include_str!("../../../docs/events/rust.md")]
struct RustPage;
