//! All routes: what the service answers, and what its description says of that.

mod events;
mod groups;
mod read_models;
mod route;
mod streams;
mod subjects;
mod table;
mod whole;

pub(crate) use route::{Answer, Content, Operation, Who};
pub(crate) use table::routes;
