//! What goes wrong with a network.

use fairway_engine::{EngineError, GroupId};
use serde::{Deserialize, Serialize};
use std::{io, time::Duration};

/// Why a network could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// This machine cannot have networks; the text says why and what to do.
    #[error("{0}")]
    Unavailable(String),
    /// There is no such network.
    #[error("network `{0}` is not open")]
    NotOpen(GroupId),
    /// Another process that still runs owns it.
    #[error("network `{network}` belongs to process {pid}")]
    Owned {
        /// Which network.
        network: GroupId,
        /// Its owner.
        pid: u32,
    },
    /// The helper looked at the request and refused it.
    #[error("network `{network}` refused: {why}")]
    Refused {
        /// Which network.
        network: GroupId,
        /// What is wrong.
        why: String,
    },
    /// The helper did not answer in time.
    #[error("network `{network}` did not answer within {limit:?}")]
    Timeout {
        /// Which network.
        network: GroupId,
        /// How long it was given.
        limit: Duration,
    },
    /// The machine refused something.
    #[error("could not {doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
}

impl NetworkError {
    /// An adapter for `map_err`: says what was being done when the machine refused.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

impl From<NetworkError> for EngineError {
    fn from(error: NetworkError) -> Self {
        match error {
            NetworkError::Unavailable(why) => Self::Unavailable { engine: "embedded", why },
            NetworkError::NotOpen(id) => Self::NoGroup(id),
            NetworkError::Timeout { network, limit } => {
                Self::Timeout { what: format!("network {network}"), limit }
            }
            NetworkError::Io { doing, source } => Self::Io { doing, source },
            other => Self::Broken(other.to_string()),
        }
    }
}

/// What a helper could not do, as it is sent to who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum Fault {
    /// This machine cannot have networks.
    #[error("{0}")]
    Unavailable(String),
    /// The request cannot be fulfilled.
    #[error("{0}")]
    Refused(String),
}

impl Fault {
    /// An adapter for `map_err`: says what was being done, and what the machine said.
    pub(crate) fn doing(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Refused(format!("could not {what}: {source}"))
    }

    /// The error for who asked.
    pub(crate) fn of(self, network: &GroupId) -> NetworkError {
        match self {
            Self::Unavailable(why) => NetworkError::Unavailable(why),
            Self::Refused(why) => NetworkError::Refused { network: network.clone(), why },
        }
    }
}
