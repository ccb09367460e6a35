//! The embedded engine on this machine: needs root and `/bin/busybox` (Debian's
//! `busybox-static`).

mod fixture;
mod runner;

use fairway_engine::conformance::{Case, SANDBOX};
use fixture::Fixture;
use std::process::ExitCode;

fn main() -> ExitCode {
    fairway_engine_embedded::become_helper_if_asked();
    let cases: Vec<Case> = SANDBOX.iter().copied().flatten().copied().collect();
    let fixture = Fixture::new();
    runner::run(&cases, |case| fixture.subject(case))
}
