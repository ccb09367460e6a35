//! The ledger's own streams, which nobody else writes.

use crate::failure::Failure;
use fairway_ledger::StreamName;

/// Why nothing is written to a stream.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is written by the ledger alone")]
pub struct OwnStream(StreamName);

/// Passes a stream that anybody may write.
pub fn assert_writable(stream: &StreamName) -> Result<(), OwnStream> {
    if stream.is_own() { Err(OwnStream(stream.clone())) } else { Ok(()) }
}

impl From<OwnStream> for Failure {
    fn from(error: OwnStream) -> Self {
        Self::failed(error.to_string())
    }
}
