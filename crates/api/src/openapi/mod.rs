//! The description of the service (OpenAPI 3.1), made of the table of routes.

mod document;
mod group_schemas;
mod parameters;
mod problems;
mod schemas;

pub use document::openapi;
pub(crate) use document::serve;
