//! What every backend of the ledger must do, as tests written against [`Ledger`](crate::Ledger)
//! alone.
//!
//! A backend's own test binary implements [`Place`] and calls [`run`], and lets a [`storm`] rage
//! over it. A case that fails panics.

mod appends;
pub mod checks;
pub mod copies;
mod given;
mod ids;
mod place;
mod projections;
mod reads;
mod retention;
mod run;
mod snapshots;
pub mod storm;
mod subscriptions;
mod sweeps;
mod writers;

pub use place::Place;
pub use run::{Case, Cases, run};

/// All cases.
pub const CASES: &[&[Case]] = &[
    appends::CASES,
    ids::CASES,
    writers::CASES,
    reads::CASES,
    retention::CASES,
    sweeps::CASES,
    snapshots::CASES,
    projections::CASES,
    subscriptions::CASES,
];

/// A list of cases, each named for its function.
macro_rules! cases {
    ($($case:ident),+ $(,)?) => {
        pub(super) const CASES: &[super::Case] = &[$(super::Case {
            name: stringify!($case),
            run: |place| Box::pin($case(place)),
        }),+];
    };
}
use cases;
