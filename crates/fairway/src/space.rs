//! Whether the disk of the data directory has space: without it nobody can record what happened.

use crate::{app::App, failure::Failure};
use std::time::Duration;
use tokio::time::sleep;

/// What recording a fact takes at most, in bytes.
const NEEDED: u64 = 64 << 10;
/// How long whoever waits for a fact does so before the disk is looked at.
const PAUSE: Duration = Duration::from_secs(2);

/// Returns when no fact can come any more because the disk is full.
pub async fn runs_out(app: &App) -> Failure {
    let data = &app.settings.data_dir;
    loop {
        sleep(PAUSE).await;
        // Who cannot tell how much space there is has other errors to show.
        let Ok(disk) = rustix::fs::statvfs(data) else { continue };
        if disk.f_bavail.saturating_mul(disk.f_frsize) < NEEDED {
            return Failure::failed("what was asked for is recorded, but not how it ended")
                .because(format!("the disk that holds `{}` is full", data.display()))
                .hint("make space; what was asked for then goes on by itself");
        }
    }
}
