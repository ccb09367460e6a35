//! What every backend of the ledger must do, as tests written against [`Ledger`](crate::Ledger)
//! alone.

pub mod storm;
