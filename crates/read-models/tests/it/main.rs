//! Read models on real ledgers and real targets.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod callback;
mod docs;
mod drivers;
mod follow;
mod kills;
mod last_writer_wins;
mod parking;
mod place;
mod postgres;
mod rebuild;
#[path = "../../../ledger-postgres/tests/it/server.rs"]
#[allow(dead_code, reason = "the server is that of the ledger's own tests, which use more of it")]
mod server;
mod tables;
mod takeover;
