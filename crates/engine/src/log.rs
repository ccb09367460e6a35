//! The output of containers.

use fairway_model::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line of output, without its line feed. A line longer than 16 KiB comes in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When its end was read.
    pub at: Timestamp,
    /// Where it came from.
    pub stream: LogStream,
    /// Its bytes, in whatever encoding the program writes.
    pub text: Vec<u8>,
}

/// What a log holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEvent {
    /// A line.
    Line(LogLine),
    /// The log reached its limit here; this many bytes were dropped after it so far.
    Cut {
        /// Bytes that are missing.
        dropped: u64,
    },
}

/// Where reading a log starts, and whether it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFrom {
    /// All that is there, then the end.
    Start,
    /// All that is there, then what comes until the container ends.
    StartAndFollow,
    /// The last lines, then the end.
    Last(usize),
}
