//! Read models in SQLite files: one file per build.

mod apply;
mod check;
mod file;
mod query;
mod run;
pub(crate) mod standing;
mod target;

pub(crate) use check::check;
pub(crate) use file::Place;
pub(crate) use query::SqliteReader;
pub(crate) use target::SqliteTarget;
