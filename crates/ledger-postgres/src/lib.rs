//! The ledger in PostgreSQL, for fleets that outgrow one machine.
//!
//! [`open`] makes or finds a ledger in a schema of a database. One process at a time appends: it
//! holds a lease that the database keeps, gives positions, and commits what is waiting in one
//! batch. A process that wants to append asks the holder to hand over. Every batch checks the
//! lease's token in its own transaction, so that who lost the lease stores nothing. Readers are
//! anywhere.
//!
//! This crate trusts no clock but the database's for the lease, and takes notifications as hints
//! only.

mod address;
mod appender;
mod back_off;
mod check;
mod connection;
mod database;
mod error;
mod listener;
mod names;
mod part;
mod pool;
mod reader;
mod replica;
mod rows;
mod schema;
mod snapshots;
mod store;
mod streams;
mod task;
mod tls;

pub use address::{Address, AddressError};
pub use database::Database;
pub use store::{Postgres, open, open_existing};
