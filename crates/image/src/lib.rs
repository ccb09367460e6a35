//! Makes images: bases from a distribution's packages, and others from Dockerfiles.

#![expect(dead_code, reason = "being written")]

mod dockerfile;

pub use dockerfile::{DOCKERFILE_MAX, Dockerfile, INSTRUCTIONS_MAX, Stage};
