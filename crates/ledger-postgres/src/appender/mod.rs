//! Appending: at any moment one process of all gives positions and commits.

mod appending;
mod batch;
mod hold;
mod known;
pub(crate) mod lease;
mod plan;
mod queue;
mod session;
mod sweep;
mod turn;

pub(crate) use appending::Appending;
pub(crate) use queue::Appender;
