//! Pipelines in real containers on this machine: needs root and `/bin/busybox` (Debian's
//! `busybox-static`).

#![allow(clippy::unwrap_used, reason = "a failed expectation fails the case")]
#![allow(clippy::print_stdout, reason = "a test harness tells what it does")]

mod cases;
mod driver;
mod faults;
mod fixture;
mod images;
mod neighbours;
mod recovery;
mod runner;
mod speed;

use runner::Case;
use std::process::ExitCode;

fn main() -> ExitCode {
    fairway_engine_embedded::become_helper_if_asked();
    if let Some(code) = driver::become_driver_if_asked() {
        return code;
    }
    let groups: [&[Case]; 5] =
        [cases::CASES, neighbours::CASES, faults::CASES, recovery::CASES, speed::CASES];
    runner::run(&groups.concat())
}
