//! Waits for the requests at backends that have left the table.

use crate::live::{Live, LiveBackend};
use std::{
    pin::pin,
    sync::{Arc, Weak},
};
use tokio::sync::Notify;

/// The backends that a table left behind, until nothing is in flight at them. Dropping it changes
/// nothing for their requests.
pub struct Drain {
    retired: Vec<Arc<LiveBackend>>,
    /// Earlier tables; while a request still looks for a backend in one, it can choose a retired one.
    superseded: Vec<Weak<Live>>,
    moved: Arc<Notify>,
}

impl Drain {
    pub(crate) fn new(
        retired: Vec<Arc<LiveBackend>>,
        superseded: Vec<Weak<Live>>,
        moved: Arc<Notify>,
    ) -> Self {
        Self { retired, superseded, moved }
    }

    /// Requests, and connections that changed their protocol, that are in flight at backends that
    /// left.
    pub fn in_flight(&self) -> usize {
        self.retired.iter().map(|backend| backend.in_flight()).sum()
    }

    /// Waits until nothing is in flight at the backends that left and nothing can get there any more,
    /// so that they can be stopped. A WebSocket can keep one busy for ever: set a limit.
    pub async fn finished(&self) {
        loop {
            let mut moved = pin!(self.moved.notified());
            moved.as_mut().enable();
            if self.is_finished() {
                return;
            }
            moved.await;
        }
    }

    fn is_finished(&self) -> bool {
        self.retired.is_empty()
            || (self.superseded.iter().all(|live| live.strong_count() == 0)
                && self.in_flight() == 0)
    }
}
