//! When a container is ready for its neighbours.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How to find out that a container is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// What is tried.
    pub probe: Probe,
    /// The pause after one attempt before the next.
    pub interval: Duration,
    /// The longest time one attempt may take.
    pub timeout: Duration,
    /// The longest time from the start of the container until it must be ready.
    pub deadline: Duration,
}

impl Readiness {
    /// The pause between attempts if none is given: short, as what waits must start within 100 ms.
    pub const INTERVAL: Duration = Duration::from_millis(50);
    /// The longest time of one attempt if none is given.
    pub const TIMEOUT: Duration = Duration::from_secs(2);
    /// The longest time until ready if none is given.
    pub const DEADLINE: Duration = Duration::from_mins(1);

    /// A probe with the usual interval, timeout and deadline.
    pub fn of(probe: Probe) -> Self {
        Self { probe, interval: Self::INTERVAL, timeout: Self::TIMEOUT, deadline: Self::DEADLINE }
    }
}

/// What is tried to find out that a container is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Probe {
    /// `GET path` answers with a status from 200 to 399. Without a port, the service's port.
    Http {
        /// An absolute path with an optional query.
        path: String,
        /// The port, if it is not the container's first one.
        port: Option<u16>,
    },
    /// A TCP connection is accepted. Without a port, the container's first one.
    Tcp {
        /// The port, if it is not the container's first one.
        port: Option<u16>,
    },
    /// A command in the container exits with 0.
    Exec(Vec<String>),
    /// A line of the log contains this text.
    Log(String),
}
