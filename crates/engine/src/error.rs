//! What goes wrong in an engine.

use crate::{ContainerId, GroupId};
use fairway_model::Digest;
use std::time::Duration;

/// Why an engine could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine cannot run here at all; the text says why and what to do.
    #[error("the {engine} engine cannot run here: {why}")]
    Unavailable {
        /// Which engine.
        engine: &'static str,
        /// Why, and what to do.
        why: String,
    },
    /// There is no such group.
    #[error("group `{0}` is not open")]
    NoGroup(GroupId),
    /// There is no such container.
    #[error("container `{0}` does not exist")]
    NoContainer(ContainerId),
    /// The name is taken.
    #[error("container `{0}` exists already")]
    Exists(ContainerId),
    /// What watched the container was killed, and the container ended with it.
    #[error("container `{0}` was lost: what watched it was killed")]
    Lost(ContainerId),
    /// The image is not on this machine.
    #[error("image `{0}` is not here")]
    NoImage(Digest),
    /// The command, user or working directory is not in the image, or similar.
    #[error("could not start `{container}`: {why}")]
    Start {
        /// Which container.
        container: ContainerId,
        /// What is wrong with its image or specification.
        why: String,
    },
    /// What the caller asked for took too long.
    #[error("`{what}` took longer than {limit:?}")]
    Timeout {
        /// What was asked.
        what: String,
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
        source: std::io::Error,
    },
    /// Something is not as this engine left it.
    #[error("{0}")]
    Broken(String),
}

impl EngineError {
    /// An adapter for `map_err`: says what was being done when the machine refused.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
