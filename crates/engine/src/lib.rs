//! What runs containers, seen from outside: two small traits and the words they use.
//!
//! [`Sandbox`] serves pipeline runs, [`Host`] serves environments. An engine implements both; one
//! conformance suite each (feature `conformance`) says what every engine must do. A host path
//! never crosses these traits: file trees go in and out by digest.

#[cfg(feature = "conformance")]
pub mod conformance;
mod container;
mod dial;
mod error;
mod exit;
mod group;
mod host;
mod log;
mod sandbox;

pub use container::{
    Command, ContainerId, ContainerSpec, Env, Mount, Names, RootAccess, Stop, Volume,
};
pub use dial::Dial;
pub use error::EngineError;
pub use exit::{Exit, ExitStatus};
pub use group::{GroupId, GroupIdError, Keep};
pub use host::{Host, Observation, ReplicaSet, ReplicaState, ServiceAddress, SetId, Share};
pub use log::{LogEvent, LogFrom, LogLine, LogStream};
pub use sandbox::{ContainerEvent, ContainerStatus, Exec, ExecOutput, ExecStreams, Sandbox};
