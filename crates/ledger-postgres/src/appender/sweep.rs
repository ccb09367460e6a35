//! Removing what is truncated, on the connection that appends, with the lease or without it. What was
//! truncated is so by then, whatever goes wrong with this.

use crate::{appender::appending::Appending, error::Fault, streams};
use fairway_ledger::Piece;
use std::time::{Duration, Instant};

impl Appending {
    /// Removes some of what is truncated. What goes wrong with it is tried again later.
    pub(super) async fn sweep(&mut self) {
        let Ok(piece) = self.try_sweep().await else {
            // There may be a transaction to undo.
            self.disconnect();
            return self.tell_swept(Piece::Failed);
        };
        self.tell_swept(piece);
        // Others may want to append, who are not heard while one piece follows the other.
        self.look().await;
    }

    async fn try_sweep(&mut self) -> Result<Piece, Fault> {
        let link = self.link().await?;
        streams::sweep(&link, self.sweeping.events()).await
    }

    /// Tells those who have waited long enough.
    fn tell_swept(&mut self, piece: Piece) {
        for (job, result) in self.sweeping.swept(piece, now()) {
            job.answer(result);
        }
    }
}

/// Waits before the next piece; for ever if there is none.
pub(super) async fn pause(pause: Option<Duration>) {
    match pause {
        None => std::future::pending().await,
        Some(Duration::ZERO) => {}
        Some(pause) => tokio::time::sleep(pause).await,
    }
}

pub(super) fn now() -> Instant {
    Instant::now()
}
