//! The real parts that a service or stage uses.

use super::{Readiness, Resources, Template};
use crate::{ImageRef, ServiceName};
use std::collections::BTreeMap;

/// What a stage or service uses, started beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Neighbour {
    /// A database, queue or other image, private to its consumer.
    Image(Box<ImageNeighbour>),
    /// A colleague's service with its own neighbours.
    Service(ServiceName),
    /// Something that exists: `host` or `host:port`.
    External(Template),
}

/// A neighbour that is an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageNeighbour {
    /// The image.
    pub image: ImageRef,
    /// Arguments instead of the image's.
    pub command: Option<Vec<String>>,
    /// The folder that a named volume keeps, in environments.
    pub data: Option<String>,
    /// Its environment variables.
    pub env: BTreeMap<String, Template>,
    /// The port others reach it at; without one, the image's first exposed port.
    pub port: Option<u16>,
    /// When it is ready; without one, the image's HEALTHCHECK, else its port accepts.
    pub ready: Option<Readiness>,
    /// Its limits.
    pub resources: Resources,
}
