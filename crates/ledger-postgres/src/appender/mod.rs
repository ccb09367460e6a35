//! Appending: at any moment one process of all gives positions and commits.

mod appending;
mod batch;
mod known;
pub(crate) mod lease;
mod plan;
mod queue;

pub(crate) use queue::Appender;
