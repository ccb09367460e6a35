//! Why the ledger could not be used: told to who runs the server, not to its clients.

use crate::status::chain;
use std::error::Error;
use tokio::sync::mpsc;
use tonic::Status;

/// Tells what went wrong; if nobody listens fast enough, some of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Option<mpsc::Sender<String>>);

impl Faults {
    pub(crate) fn to(listener: mpsc::Sender<String>) -> Self {
        Self(Some(listener))
    }

    /// Tells the cause of a failure, if it has one that its client is not told.
    pub(crate) fn tell(&self, failed: Option<&Status>) {
        if let (Some(listener), Some(cause)) = (&self.0, failed.and_then(Error::source)) {
            drop(listener.try_send(chain(cause)));
        }
    }
}
