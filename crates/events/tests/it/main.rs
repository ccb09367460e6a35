//! Groups on real ledgers: consumers, failures, settings, restarts, several processes.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod consuming;
mod managing;
mod ordering;
mod place;
mod processes;
