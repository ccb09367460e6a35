//! What is stored of a group, to go on from after a restart.

use crate::decide::entry::Mark;
use fairway_ledger::{Position, Version};
use serde::{Deserialize, Serialize};

/// How far a group is. Every event up to `taken` is finished but for those that are named, so that
/// this is no longer than a group's buffer, however many events are acknowledged out of order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Which fact created the group that this is of.
    pub(crate) created: Version,
    /// Up to which fact this is true.
    pub(crate) facts: Version,
    /// Up to where events were taken from the source.
    pub(crate) taken: Mark,
    /// Up to where all events were finished; some may have been replayed since.
    pub(crate) checkpoint: Mark,
    pub(crate) unfinished: Vec<Unfinished>,
    /// Events after `taken` that are finished already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) passed: Vec<Position>,
}

/// An event that is not finished: its position and version, and how often it was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unfinished(pub(crate) Position, pub(crate) Version, pub(crate) u32);
