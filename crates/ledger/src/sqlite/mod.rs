//! The ledger in one SQLite file.

mod access;
mod append;
mod backup;
mod check;
mod database;
mod error;
mod job;
mod reader;
mod replica;
mod rows;
mod snapshots;
mod store;
mod streams;
mod watch;
mod writer;

pub use access::open_read_only;
pub use backup::{Checked, complete_file, copy_file, put_file};
pub(crate) use store::Sqlite;
