//! The ledger on real files: appends, reads, subscriptions, projections, several processes, faults.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod appends;
mod conformance;
mod copies;
mod faults;
mod place;
mod power;
mod processes;
mod projections;
mod subscriptions;
