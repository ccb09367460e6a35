//! The ledger in one SQLite file.

mod append;
mod database;
mod error;
mod reader;
mod rows;
mod snapshots;
mod store;
mod streams;
mod watch;
mod writer;

pub(crate) use store::Sqlite;
