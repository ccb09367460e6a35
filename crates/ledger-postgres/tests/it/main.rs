//! The ledger in a real PostgreSQL server, which the tests start.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod conformance;
mod place;
mod server;
