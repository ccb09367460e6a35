//! The last output of a replica that failed, to be shown with the failure.

use fairway_engine::{ContainerId, Host, LogEvent, LogFrom};
use futures_util::StreamExt;

/// How many lines are shown.
const LINES: usize = 10;
/// How many characters of a line are shown.
const WIDTH: usize = 500;

/// The last lines, each after a line feed and indented. Empty if they cannot be read: the failure
/// itself says more than a second one about its log.
pub(crate) async fn of(host: &dyn Host, replica: &ContainerId) -> String {
    let Ok(mut events) = host.logs(replica, LogFrom::Last(LINES)).await else {
        return String::new();
    };
    let mut words = String::new();
    while let Some(event) = events.next().await {
        let Ok(LogEvent::Line(line)) = event else { continue };
        words += "\n    ";
        words.extend(String::from_utf8_lossy(&line.text).chars().take(WIDTH));
    }
    words
}
