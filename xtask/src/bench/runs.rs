//! `fairway run` of all of examples/shop when nothing has changed, in a ledger with many old runs.

use super::{
    place::Place,
    samples::{median, milliseconds},
    table::{Quantity, Row},
};
use crate::shell::{self, Outcome};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

const OLD_RUNS: &str = "10000";
const WARMUPS: usize = 2;
const ROUNDS: usize = 15;
/// Longest answer in milliseconds.
const DURATION_MAX: f64 = 150.0;
/// Most memory in megabytes.
const MEMORY_MAX: f64 = 60.0;
const HOME: &str = "shop-home";

/// Measures.
pub fn measure(place: &Place) -> Outcome<Vec<Row>> {
    let fleet = place.fleet("examples/shop", "shop")?;
    shell::say("running the pipelines of examples/shop, which takes minutes the first time");
    // The first run may make what the second one takes part with.
    for _ in 0..2 {
        let mut run = place.fairway(HOME, &fleet, &["run"]);
        shell::run(run.stdout(Stdio::null()).stderr(fs::File::create(place.path("shop.log"))?))?;
    }
    let ledger = place.path(HOME).join("ledger.db");
    let old_runs = place.example("fairway-pipeline", "old_runs")?;
    shell::run(Command::new(old_runs).arg(&ledger).arg(OLD_RUNS).stdout(Stdio::null()))?;
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for round in 0..WARMUPS + ROUNDS {
        let (time, peak) = unchanged(place, &fleet)?;
        if round >= WARMUPS {
            times.push(time);
            memory.push(peak);
        }
    }
    let time = Quantity { value: median(&mut times), unit: "ms" };
    let peak = Quantity { value: memory.iter().copied().fold(0.0, f64::max), unit: "MB" };
    Ok(vec![
        Row::limit("fairway run, nothing changed, 10,000 old runs", time, DURATION_MAX),
        Row::limit("its largest resident memory", peak, MEMORY_MAX),
    ])
}

/// Milliseconds and megabytes of one run.
fn unchanged(place: &Place, fleet: &Path) -> Outcome<(f64, f64)> {
    let report = place.path("time.txt");
    let mut command = Command::new("time");
    command.args(["--format", "%M", "--output"]).arg(&report);
    command.arg(place.program()).arg("run").current_dir(fleet);
    command.env("FAIRWAY_HOME", place.path(HOME)).stderr(Stdio::null());
    let time = milliseconds(&mut command)?;
    let kibibytes: f64 = fs::read_to_string(&report)?.trim().parse()?;
    Ok((time, kibibytes * 1024.0 / 1e6))
}
