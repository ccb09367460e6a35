//! Read models in PostgreSQL: one schema per build.

mod apply;
mod check;
mod link;
mod links;
mod query;
mod schema;
mod standing;
mod target;

pub(crate) use check::check;
pub(crate) use links::Links;
pub(crate) use query::PostgresReader;
pub(crate) use schema::{Place, Rival};
pub(crate) use target::PostgresTarget;
