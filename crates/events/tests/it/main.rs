//! Groups on real ledgers: consumers, failures, settings, restarts, several processes.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod consuming;
mod docs;
mod managing;
mod ordering;
mod place;
mod postgres;
mod processes;
#[path = "../../../ledger-postgres/tests/it/server.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod server;
