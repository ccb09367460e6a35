//! `fairway.yaml`: one per service.

use super::{Neighbour, Pipeline, Readiness, Template};
use crate::{ByteSize, Cpus, EnvironmentName, NeighbourName, ServiceName, StageName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One unit that is built, tested and deployed on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name, unique in the fleet.
    pub name: ServiceName,
    /// How its image is built.
    pub build: Build,
    /// Files and folders that a revision and a cache key cover, relative to the service; they lie
    /// within the fleet.
    pub inputs: Vec<String>,
    /// The port it listens on.
    pub port: Option<u16>,
    /// When it is ready; without one, the image's HEALTHCHECK, else its port accepts.
    pub ready: Option<Readiness>,
    /// Its limits.
    pub resources: Resources,
    /// Its environment variables.
    pub env: BTreeMap<String, Template>,
    /// The real parts it uses.
    pub uses: BTreeMap<NeighbourName, Neighbour>,
    /// Which requests the gateway sends to it.
    pub routes: Vec<Route>,
    /// How many of it run in an environment.
    pub replicas: u16,
    /// What differs per environment.
    pub environments: BTreeMap<EnvironmentName, Overlay>,
    /// What is tested before a release.
    pub pipeline: Pipeline,
}

/// How an image is built: the implicit stage `build`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The Dockerfile, relative to the service, whose folder is the build context.
    pub dockerfile: String,
    /// The stage of the Dockerfile to build, if not its last.
    pub target: Option<String>,
    /// Values for `ARG`.
    pub args: BTreeMap<String, String>,
    /// Stages whose artifacts the build context gets.
    pub needs: Vec<StageName>,
}

/// Limits of one container; what is absent is not limited, but for `pids`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resources {
    /// Memory; a container that needs more is ended by the kernel.
    pub memory: Option<ByteSize>,
    /// Processor time.
    pub cpus: Option<Cpus>,
    /// Processes and threads.
    pub pids: Option<u32>,
}

/// A match and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `shop.example` or `*.shop.example`; without one, any.
    pub host: Option<String>,
    /// A prefix of whole path segments.
    pub path: String,
    /// What the service sees of the path.
    pub prefix: Prefix,
}

/// What a service sees of the path prefix that a route matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefix {
    /// The whole path (`strip: false`).
    #[default]
    Kept,
    /// The path without the prefix (`strip: true`).
    Stripped,
}

/// What differs in one environment. Environments differ by this alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overlay {
    /// How many run here.
    pub replicas: Option<u16>,
    /// Variables added or replaced.
    pub env: BTreeMap<String, Template>,
    /// Neighbours replaced, as a whole.
    pub uses: BTreeMap<NeighbourName, Neighbour>,
    /// Limits replaced, as a whole.
    pub resources: Option<Resources>,
}
