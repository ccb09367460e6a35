//! The ledger in a real PostgreSQL server, which the tests start.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod appenders;
mod conformance;
mod copies;
mod cuts;
mod opening;
mod place;
mod processes;
mod proxy;
mod restarts;
mod server;
mod space;
