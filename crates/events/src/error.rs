//! What can go wrong with groups.

use crate::{
    group_id::{GroupId, GroupIdError},
    settings::SettingsError,
};
use fairway_ledger::{AppendError, LedgerError, Position, StreamName};
use std::sync::Arc;

/// Why something with a group was not done. Cheap to clone.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GroupError {
    /// There is no such group.
    #[error("there is no group `{0}`")]
    Unknown(GroupId),
    /// There is such a group.
    #[error("there is a group `{0}` already")]
    Exists(GroupId),
    /// The group cannot be named so.
    #[error(transparent)]
    Id(#[from] GroupIdError),
    /// The group cannot be set so.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Another process hands out the events of this group.
    #[error("another process hands out the events of group `{0}`")]
    DrivenElsewhere(GroupId),
    /// The group has as many consumers as it may have.
    #[error("group `{group}` has {most} consumers, which is the most")]
    ConsumersMax {
        /// The group.
        group: GroupId,
        /// The most it may have.
        most: u32,
    },
    /// The event is neither held by the group nor parked.
    #[error("group `{group}` neither holds nor has parked the event at position {position}")]
    NotHeld {
        /// The group.
        group: GroupId,
        /// The event.
        position: Position,
    },
    /// The consumer is not connected any more.
    #[error("the consumer of group `{group}` was disconnected: {why}")]
    Ended {
        /// The group.
        group: GroupId,
        /// Why.
        why: Ended,
    },
    /// A fact about the group cannot be read.
    #[error("a fact of `{stream}` cannot be read")]
    Fact {
        /// The group's stream.
        stream: StreamName,
        /// Why.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The directory of locks beside the ledger cannot be used.
    #[error("the lock of group `{group}` cannot be taken")]
    Lock {
        /// The group.
        group: GroupId,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A fact about the group was not accepted.
    #[error("the ledger did not accept a fact about a group")]
    Append(#[source] Arc<AppendError>),
}

/// Why a consumer was disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// The group has new settings; connecting again uses them.
    #[error("the group was updated")]
    Updated,
    /// The group was removed.
    #[error("the group was removed")]
    Removed,
    /// The consumer asked for it, by [`crate::Nack::Stop`].
    #[error("the consumer asked for it")]
    Stopped,
    /// The consumer let more events time out than it may have at once.
    #[error("it let too many events time out")]
    TooSlow,
    /// Another process has taken over the group.
    #[error("another process has taken over the group")]
    TakenOver,
    /// This process hands out no more events of this group.
    #[error("the group was closed")]
    Closed,
    /// The ledger could not be used; connecting again says why if it still cannot.
    #[error("the ledger could not be used")]
    Failed,
}

impl From<AppendError> for GroupError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Ledger(error) => Self::Ledger(error),
            other => Self::Append(Arc::new(other)),
        }
    }
}
