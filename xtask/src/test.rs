//! `cargo xtask test`: every check and test, the same for newcomers and build servers.

use crate::{
    bench, machine, report, rings,
    shell::{self, Outcome, cargo},
};

/// Runs every check and test, and reports sizes.
pub fn run() -> Outcome {
    machine::prepare(&[machine::PRODUCT, machine::TESTS])?;
    step("format", || shell::run(&mut cargo(&["fmt", "--all", "--check"])))?;
    step("rings and licences", rings::check)?;
    step("clippy", || {
        shell::run(&mut cargo(&[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    step("documentation", || {
        shell::run(
            cargo(&["doc", "--quiet", "--workspace", "--no-deps"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    })?;
    step("tests", || {
        shell::run(&mut cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"]))
    })?;
    step("benchmarks run", bench::try_out)?;
    report::print()
}

fn step(name: &str, work: impl FnOnce() -> Outcome) -> Outcome {
    shell::say(&format!("== {name}"));
    work()
}
