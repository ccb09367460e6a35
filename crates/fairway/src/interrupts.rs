//! The signals with which somebody asks a long verb to stop.

use crate::failure::{Doing, Failure};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ctrl-C, a request to end, and a terminal that goes away. From the moment this is opened they do
/// not end the process any more.
pub struct Interrupts {
    signals: [Signal; 3],
}

impl Interrupts {
    /// Listens from now on.
    pub fn open() -> Result<Self, Failure> {
        let open = |kind| signal(kind).doing("await signals");
        let [interrupt, terminate, hangup] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(open);
        Ok(Self { signals: [interrupt?, terminate?, hangup?] })
    }

    /// Returns when somebody asks to stop, each time.
    pub async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
