//! The files a user writes, as types: `fleet.yaml`, `fairway.yaml` and declarations of read models.

mod check;
mod decode;
mod fleet;
mod folder;
mod form;
mod init;
mod load;
mod neighbour;
mod pipeline;
mod probe;
mod read_model;
mod reporter;
mod schema;
mod service;
mod stage_order;
mod template;
mod yaml;

pub use fleet::{Base, EngineKind, Environment, Fleet};
pub use init::{ServiceFolder, init_fleet, init_service};
pub use load::{FleetConfig, Member, SourceFile};
pub use neighbour::{ImageNeighbour, Neighbour};
pub use pipeline::{Pipeline, Stage, StageUse};
pub use probe::{Probe, Readiness};
pub use read_model::{EventKey, EventSource, READ_MODEL_NAME_MAX, ReadModel, ReadModelTarget, Sql};
pub use schema::{fleet_schema, read_model_schema, service_schema};
pub use service::{Build, Overlay, Prefix, Resources, Route, Service};
pub use stage_order::StageCycle;
pub use template::{Template, TemplateError, TemplatePart};
pub use yaml::{DEPTH_MAX, DIAGNOSTICS_MAX, FILE_MAX, NODES_MAX};
