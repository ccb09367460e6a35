//! Pauses between tries of something that another is to make possible.

use std::time::Duration;
use tokio::time::Instant;

const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// Pauses, each twice as long as the one before, until there shall be no more tries.
#[derive(Debug)]
pub(crate) struct BackOff {
    pause: Duration,
    deadline: Instant,
}

impl BackOff {
    pub(crate) fn until(longest: Duration) -> Self {
        Self { pause: PAUSE_MIN, deadline: Instant::now() + longest }
    }

    /// Whether there shall be no more tries.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Waits before the next try.
    pub(crate) async fn pause(&mut self) {
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE_MAX);
        tokio::time::sleep(pause).await;
    }
}
