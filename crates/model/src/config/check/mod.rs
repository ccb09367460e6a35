//! What must hold between the parts of a file and between files, once each part is right.

mod environments;
mod fleet;
mod images;
mod inputs;
mod neighbours;
mod parts;
mod read_model;
mod routes;
mod service;
mod stages;

pub(super) use fleet::{Member as CheckedService, check_fleet, check_members};
pub(super) use read_model::check_read_model;
pub(super) use service::check_service;
