//! The release binary: how large it is and how long it takes to build.

use super::{
    place::{Place, remove},
    table::{Quantity, Row},
};
use crate::shell::{self, Outcome};
use std::{fs, time::Instant};

/// Largest binary in megabytes.
const SIZE_MAX: f64 = 30.0;
/// Longest build from nothing, in minutes on two cores.
const BUILD_MAX: f64 = 10.0;

/// Measures the size.
pub fn measure(place: &Place) -> Outcome<Vec<Row>> {
    let bytes = u32::try_from(fs::metadata(place.program())?.len())?;
    let size = Quantity { value: f64::from(bytes) / 1e6, unit: "MB" };
    Ok(vec![Row::limit("release binary", size, SIZE_MAX)])
}

/// Measures a build from nothing; the sources of dependencies are there.
pub fn measure_build(place: &Place) -> Outcome<Vec<Row>> {
    shell::run(&mut shell::cargo(&["fetch", "--quiet"]))?;
    let target = place.fresh("target")?;
    let start = Instant::now();
    let mut build = shell::cargo(&["build", "--release", "--quiet", "--package", "fairway"]);
    shell::run(build.env("CARGO_TARGET_DIR", &target))?;
    let value = start.elapsed().as_secs_f64() / 60.0;
    remove(&target)?;
    let duration = Quantity { value, unit: "min" };
    Ok(vec![Row::limit("release build from nothing", duration, BUILD_MAX)])
}
