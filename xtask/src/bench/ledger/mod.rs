//! The ledger: appends and reads of 256-byte events, held against the disk and against other stores.

mod appends;
mod reads;

use super::{place::Place, samples::median, table::Row};
use crate::shell::{self, Outcome};
use serde_json::Value;
use std::{path::PathBuf, process::Command};

/// How much is measured. Numbers are texts, as programs are given them.
struct Effort {
    /// Of each figure, which is their median.
    rounds: usize,
    /// Of what takes long.
    long_rounds: usize,
    /// Of a measurement that goes on for a time.
    seconds: &'static str,
    live_events: &'static str,
    catch_up_events: &'static str,
    /// Of the large ledger, and of the read model.
    many_events: &'static str,
    many_streams: &'static str,
    /// Of last events of the large ledger.
    many_reads: &'static str,
}

const FULL: Effort = Effort {
    rounds: 5,
    long_rounds: 3,
    seconds: "3",
    live_events: "15000",
    catch_up_events: "1000000",
    many_events: "10000000",
    many_streams: "1000000",
    many_reads: "20000",
};

/// Enough to see that everything runs.
const TRIAL: Effort = Effort {
    rounds: 1,
    long_rounds: 1,
    seconds: "1",
    live_events: "500",
    catch_up_events: "20000",
    many_events: "20000",
    many_streams: "2000",
    many_reads: "100",
};

/// The programs that measure, and the crates they belong to.
const PROGRAMS: [(&str, &str); 7] = [
    ("fairway-ledger", "ledger_load"),
    ("fairway-ledger", "nats_load"),
    ("fairway-ledger-postgres", "postgres_load"),
    ("fairway-api", "catch_up"),
    ("fairway-api", "http_load"),
    ("fairway-api", "live_delivery"),
    ("fairway-read-models", "follow_load"),
];

/// What `ledger_load` and the programs that measure peers say.
#[derive(Debug, Default)]
struct Figures {
    per_second: Vec<f64>,
    p50_ms: Vec<f64>,
    p99_ms: Vec<f64>,
}

impl Figures {
    fn add(&mut self, said: &Value) {
        let take = |name: &str, list: &mut Vec<f64>| list.extend(said[name].as_f64());
        take("per_second", &mut self.per_second);
        take("p50_ms", &mut self.p50_ms);
        take("p99_ms", &mut self.p99_ms);
    }

    fn rate(&mut self) -> f64 {
        median(&mut self.per_second)
    }

    fn p50(&mut self) -> f64 {
        median(&mut self.p50_ms)
    }

    fn p99(&mut self) -> f64 {
        median(&mut self.p99_ms)
    }
}

/// Measures.
pub fn measure(place: &Place) -> Outcome<Vec<Row>> {
    measure_with(place, &FULL)
}

/// Measures so little that the figures mean nothing: to see that the peers start and all is there.
pub fn try_out(place: &Place) -> Outcome<Vec<Row>> {
    measure_with(place, &TRIAL)
}

fn measure_with(place: &Place, effort: &Effort) -> Outcome<Vec<Row>> {
    for (package, example) in PROGRAMS {
        place.example(package, example)?;
    }
    let load = Load { program: place.example("fairway-ledger", "ledger_load")? };
    let dir = place.fresh("ledger")?;
    let mut rows = appends::measure(place, (&load, &dir), effort)?;
    rows.extend(reads::in_process((&load, &dir), effort)?);
    rows.extend(reads::over_http(place, effort)?);
    rows.extend(reads::many_streams((&load, &dir), effort)?);
    rows.push(reads::read_model(place, effort)?);
    Ok(rows)
}

/// The program that measures ledgers.
struct Load {
    program: PathBuf,
}

impl Load {
    fn run(&self, arguments: &[&str]) -> Outcome<Value> {
        said(Command::new(&self.program).args(arguments))
    }
}

/// What a measuring program prints in its last line.
pub fn said(command: &mut Command) -> Outcome<Value> {
    let said = shell::read(command)?;
    Ok(serde_json::from_str(said.lines().last().unwrap_or_default())?)
}
