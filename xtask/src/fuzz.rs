//! `cargo xtask fuzz`: looks for input that makes a fuzz target panic, with libFuzzer.
//!
//! The flags are those that `cargo fuzz` gives without a sanitizer, so that a stable toolchain does.

use crate::{
    machine,
    rings::target_directory,
    shell::{self, Outcome, cargo},
};
use std::{fs, process::Command};

/// The fuzz targets.
const NAMES: [&str; 3] = ["http", "grpc", "json"];

/// How many seconds are spent if nobody says.
pub const SECONDS: &str = "60";

/// Counts what code an input reaches, and what it is compared with.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// With `--target`, programs that run while building are not instrumented.
const HOST: &str = "x86_64-unknown-linux-gnu";

/// An input that takes so many seconds is a fault.
const TIMEOUT: &str = "-timeout=30";

/// Looks for so many seconds. What is found stays for the next time: inputs that reach new code, and
/// those that break the target, which end the search.
pub fn run(name: &str, seconds: &str) -> Outcome {
    let seconds: u32 = seconds.parse().map_err(|_| format!("`{seconds}` are no seconds"))?;
    if !NAMES.contains(&name) {
        let names = NAMES.join(", ");
        return Err(format!("there is no fuzz target `{name}`; there are {names}").into());
    }
    machine::prepare(&[machine::FUZZ])?;
    shell::run(
        cargo(&["build", "--quiet", "--profile", "fuzz", "--target", HOST])
            .args(["--package", "fairway-fuzz", "--bin", name])
            .env("RUSTFLAGS", FLAGS),
    )?;
    let target = target_directory()?;
    let place = target.join("fuzz").join(name);
    let (seeds, corpus) = (place.join("seeds"), place.join("corpus"));
    for folder in [&seeds, &corpus] {
        fs::create_dir_all(folder)?;
    }
    shell::run(
        Command::new(target.join(HOST).join("fuzz").join(name))
            .current_dir(&place)
            .env("FAIRWAY_FUZZ_SEEDS", &seeds)
            .args([TIMEOUT, &format!("-max_total_time={seconds}"), "-print_final_stats=1"])
            .args([&corpus, &seeds]),
    )
}
