//! Subjects on real files and servers.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod file;
mod kept;
mod place;
mod sealing;
#[path = "../../../ledger-postgres/tests/it/server.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod server;
mod shared;
