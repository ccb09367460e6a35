//! What every engine must do, as tests written against the traits alone.
//!
//! An engine's own test binary makes a [`Subject`] and runs all of [`SANDBOX`], and a
//! [`HostSubject`] for all of [`HOST`]. A case that fails panics. Each case uses a group of its own,
//! so cases may run side by side.

mod files;
mod groups;
mod host;
mod host_subject;
mod lives;
mod logs;
mod names;
mod readiness;
mod running;
mod safety;
mod subject;

pub use host::{HOST, HostCase};
pub use host_subject::HostSubject;
pub use subject::{Case, Subject};

/// The cases for [`Sandbox`](crate::Sandbox).
pub const SANDBOX: &[&[Case]] = &[
    lives::CASES,
    running::CASES,
    logs::CASES,
    files::CASES,
    readiness::CASES,
    names::CASES,
    safety::CASES,
    groups::CASES,
];

/// A list of cases, each named for its function.
macro_rules! cases {
    ($($case:ident),+ $(,)?) => {
        pub(super) const CASES: &[super::Case] = &[$(super::Case {
            name: stringify!($case),
            run: |subject| Box::pin($case(subject)),
        }),+];
    };
}
use cases;
