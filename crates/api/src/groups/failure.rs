//! What clients are told when something with a group is not done.

use crate::problem::{Problem, ProblemKind};
use fairway_events::GroupError;

impl From<GroupError> for Problem {
    fn from(error: GroupError) -> Self {
        let detail = error.to_string();
        let kind = match error {
            GroupError::Unknown(_) => ProblemKind::Missing,
            GroupError::Exists(_) | GroupError::NotHeld { .. } => ProblemKind::Conflict,
            GroupError::Id(_) => ProblemKind::Request,
            GroupError::Settings(_) => ProblemKind::Content,
            GroupError::ConsumersMax { .. } => ProblemKind::Busy,
            GroupError::DrivenElsewhere(_) | GroupError::Ended { .. } | GroupError::Lock { .. } => {
                ProblemKind::Unavailable
            }
            GroupError::Fact { .. } | GroupError::Append(_) => ProblemKind::Fault,
            GroupError::Ledger(error) => return error.into(),
        };
        Self::new(kind, detail)
    }
}
