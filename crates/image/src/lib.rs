//! Makes images: bases from a distribution's packages, and others from Dockerfiles.
//!
//! A build is a function of a Dockerfile, a file tree and the images it starts from. Each
//! instruction that changes files makes a layer, which is remembered under the digest of all that
//! it depends on; an unchanged build finds every layer and runs nothing.

mod base;
mod build;
mod cache;
mod context;
mod dockerfile;
mod error;
mod event;
mod ignore;
mod images;
mod plan;
mod root;
mod scope;
mod view;

pub use base::{BaseSource, Bases};
pub use context::capture_context;
pub use dockerfile::{DOCKERFILE_MAX, Dockerfile, INSTRUCTIONS_MAX, Stage};
pub use error::BuildError;
pub use event::{BuildEvent, Built, Events, Outcome};
pub use ignore::{IGNORE_FILE_MAX, IgnoreError, IgnoreRules, RULES_MAX};
pub use images::{BuildRequest, Images};
