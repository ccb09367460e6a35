//! What can go wrong with the ledger.

use crate::event::DecodeError;
use std::{error::Error, sync::Arc};

/// What a backend found. Shared, because all appends of a group that failed get the same.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// Why the ledger could not be opened, read or written. `ledger` is its place: a path, or an
/// address without secrets. Cheap to clone.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// A later Fairway wrote this ledger.
    #[error(
        "ledger `{ledger}` has schema {found}, this Fairway knows up to {known}; use a newer Fairway"
    )]
    Newer {
        /// The ledger's place.
        ledger: String,
        /// Its schema.
        found: u32,
        /// The newest schema that is understood.
        known: u32,
    },
    /// There is nothing at the place, or a file without anything in it, where a ledger has to be.
    #[error("there is no ledger at `{0}`")]
    Missing(String),
    /// The file is not a ledger, or its pages are damaged.
    #[error("`{ledger}` is damaged or is not a ledger")]
    Damaged {
        /// The ledger's place.
        ledger: String,
        /// What the backend found.
        source: Cause,
    },
    /// No space is left; nothing of what was asked has been stored.
    #[error("the disk that holds ledger `{ledger}` is full")]
    DiskFull {
        /// The ledger's place.
        ledger: String,
        /// What the backend found.
        source: Cause,
    },
    /// The file or its directory is not there, is read-only, or may not be written; or the disk takes
    /// no writes any more. What was asked may have been stored or not.
    #[error("ledger `{ledger}` cannot be written")]
    NotWritable {
        /// The ledger's place.
        ledger: String,
        /// What the backend found.
        source: Cause,
    },
    /// The file system cannot share memory between processes.
    #[error("the file system of ledger `{0}` cannot hold it; use a local disk")]
    Unsupported(String),
    /// Another process has been writing for longer than anybody should.
    #[error("ledger `{0}` is kept busy by another process")]
    Busy(String),
    /// The server of the ledger does not answer. What was asked may have been done or not.
    #[error("ledger `{ledger}` cannot be reached")]
    Unreachable {
        /// The ledger's place.
        ledger: String,
        /// What the backend found.
        source: Cause,
    },
    /// Another process has taken over appending; nothing of what was asked has been stored.
    #[error("another process appends to ledger `{0}` now")]
    Fenced(String),
    /// The ledger lives elsewhere now.
    #[error("ledger `{ledger}` takes no appends: it is at `{to}`")]
    Moved {
        /// The ledger's place.
        ledger: String,
        /// Where it lives.
        to: String,
    },
    /// Another failure of the backend.
    #[error("could not use ledger `{ledger}`")]
    Backend {
        /// The ledger's place.
        ledger: String,
        /// What the backend found.
        source: Cause,
    },
    /// An event or a stored row is not what a projection expects.
    #[error("projection `{projection}` cannot be folded")]
    Projection {
        /// The projection's name.
        projection: &'static str,
        /// Which event, and why.
        source: Arc<DecodeError>,
    },
    /// A stored row of a projection is not what its version says.
    #[error("a row of projection `{projection}` cannot be read or written")]
    Row {
        /// The projection's name.
        projection: &'static str,
        /// Why.
        source: Arc<serde_json::Error>,
    },
    /// The ledger in this process has ended.
    #[error("the ledger is closed")]
    Closed,
}
