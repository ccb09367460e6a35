//! What goes wrong with groups, as KurrentDB's clients know it.

use crate::status::{self, exception};
use fairway_events::{GroupError, GroupId};
use tonic::{Code, Status};

/// A failure as a status with trailers.
pub(crate) fn failed(error: &GroupError) -> Status {
    match error {
        GroupError::Unknown(id) => {
            let message = format!("Subscription group {} does not exist.", on(id));
            about(id, (Code::NotFound, message), "persistent-subscription-does-not-exist")
        }
        GroupError::Exists(id) => {
            let message = format!("Subscription group {} exists.", on(id));
            about(id, (Code::AlreadyExists, message), "persistent-subscription-exists")
        }
        GroupError::Ended { group, why } => {
            let message = format!("Subscription group {} was dropped: {why}", on(group));
            about(group, (Code::Cancelled, message), "persistent-subscription-dropped")
        }
        GroupError::ConsumersMax { group, .. } => {
            let message =
                format!("Maximum subscriptions reached for subscription group {}", on(group));
            about(group, (Code::FailedPrecondition, message), "maximum-subscribers-reached")
        }
        GroupError::Id(_) | GroupError::Settings(_) => status::invalid(error),
        GroupError::DrivenElsewhere(_) => Status::unavailable(error.to_string()),
        GroupError::Ledger(error) => status::ledger(error),
        GroupError::NotHeld { .. } => Status::internal(error.to_string()),
        GroupError::Lock { .. } | GroupError::Fact { .. } | GroupError::Append(_) => {
            status::fault("the group cannot be used", error)
        }
    }
}

fn on(group: &GroupId) -> String {
    format!("{} on stream {}", group.name(), group.source())
}

fn about(group: &GroupId, (code, message): (Code, String), name: &'static str) -> Status {
    exception(code, message, name, &named(group))
}

fn named(group: &GroupId) -> [(&'static str, String); 2] {
    [("stream-name", group.source().to_string()), ("group-name", group.name().to_string())]
}
