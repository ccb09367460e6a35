//! Read models on real ledgers and real targets.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod follow;
mod kills;
mod parking;
mod place;
mod rebuild;
