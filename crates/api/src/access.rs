//! What a caller may do.

use fairway_ledger::StreamName;

/// What is done to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Its events are read.
    Read,
    /// Events are appended to it.
    Append,
    /// It is truncated, deleted or closed; or groups of it are managed.
    Manage,
}

impl Right {
    /// The right as what somebody does.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Append => "append to",
            Self::Manage => "manage",
        }
    }
}

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    All,
}

impl Access {
    /// Whether something may be done to a stream; what is done to a stream of metadata is done to
    /// the stream that it is about.
    pub fn may(&self, _right: Right, _stream: &StreamName) -> bool {
        match self {
            Self::All => true,
        }
    }
}
