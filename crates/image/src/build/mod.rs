//! Builds an image from a Dockerfile, instruction by instruction.

mod archive;
mod builder;
mod copy;
mod placement;
mod run;
mod settings;
mod stage;
mod workdir;

pub(crate) use builder::{Builder, blocking};
pub(crate) use placement::clean;
