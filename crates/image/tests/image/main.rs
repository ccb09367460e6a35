//! Making images on this machine: needs root, `/bin/busybox` (Debian's `busybox-static`) and
//! `mmdebstrap`; the cases of `packages` also reach `deb.debian.org`.
//!
//! The usual test harness cannot be used: it starts threads before `main` can turn into a helper.

#![allow(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod bases;
mod cache;
mod copy;
mod errors;
mod fixture;
mod packages;
mod run;
mod runner;

use runner::Case;
use std::process::ExitCode;

fn main() -> ExitCode {
    fairway_engine_embedded::become_helper_if_asked();
    let all = [copy::CASES, run::CASES, cache::CASES, errors::CASES, bases::CASES, packages::CASES];
    let cases: Vec<Case> = all.concat();
    runner::run(&cases)
}

/// Names a test after its function.
#[macro_export]
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        /// The tests of this file.
        pub const CASES: &[$crate::runner::Case] = &[$($crate::runner::Case {
            name: stringify!($name),
            run: || Box::pin($name()),
        }),*];
    };
}
