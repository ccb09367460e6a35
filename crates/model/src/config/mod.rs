//! The two files a user writes, as types: `fleet.yaml` and `fairway.yaml`.

mod fleet;
mod neighbour;
mod pipeline;
mod probe;
mod service;
mod template;

pub use fleet::{Base, EngineKind, Environment, Fleet};
pub use neighbour::{ImageNeighbour, Neighbour};
pub use pipeline::{Pipeline, Stage, StageUse};
pub use probe::{Probe, Readiness};
pub use service::{Build, Overlay, Prefix, Resources, Route, Service};
pub use template::{Template, TemplateError, TemplatePart};
