//! KurrentDB's protocol over a ledger on disk, spoken by its own clients and by hostile ones.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod clients;
mod ending;
mod hostile;
mod memory;
mod packages;
mod raw;
mod rights;
mod server;
mod slow;
