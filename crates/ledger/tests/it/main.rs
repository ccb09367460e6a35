//! The ledger in SQLite: what every backend is held to, and its own projections, processes, copies,
//! files and faults.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod conformance;
mod copies;
mod faults;
mod files;
mod ordinary;
mod place;
mod power;
mod processes;
mod projections;
