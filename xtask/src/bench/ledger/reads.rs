//! Reads: live, from the start, of many streams, and into a read model.

use super::{Effort, Figures, Load, said};
use crate::{
    bench::{
        place::Place,
        samples::median,
        table::{Quantity, Row},
    },
    shell::Outcome,
};
use std::{path::Path, process::Command};

const LIVE_RATE: &str = "5000";
const CATCH_UP_STREAMS: &str = "1000";

/// What is read in the process of the ledger.
pub(super) fn in_process((load, dir): (&Load, &Path), effort: &Effort) -> Outcome<Vec<Row>> {
    let at = dir.to_str().ok_or("a path of text")?;
    let file = dir.join("catch-up");
    let file = file.to_str().ok_or("a path of text")?;
    load.run(&["fill", file, effort.catch_up_events, CATCH_UP_STREAMS])?;
    let [mut live, mut catch_up] = [(); 2].map(|()| Figures::default());
    for _ in 0..effort.rounds {
        live.add(&load.run(&["live", at, LIVE_RATE, effort.seconds])?);
        catch_up.add(&load.run(&["read", file])?);
    }
    let milliseconds = |value| Quantity { value, unit: "ms" };
    let rate = Quantity { value: catch_up.rate(), unit: "events/s" };
    Ok(vec![
        Row::limit("append to delivery, 5,000 events/s", milliseconds(live.p50()), 1.0),
        Row::limit("its 99th percentile", milliseconds(live.p99()), 5.0),
        Row::goal("catch-up in process", rate, 1_000_000.0),
    ])
}

/// What is read by a client over HTTP.
pub(super) fn over_http(place: &Place, effort: &Effort) -> Outcome<Vec<Row>> {
    let catch_up = place.example("fairway-api", "catch_up")?;
    let live = place.example("fairway-api", "live_delivery")?;
    let (mut rates, mut p50, mut p99) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        let caught = said(Command::new(&catch_up).arg(effort.catch_up_events))?;
        rates.extend(caught["per_second"].as_f64());
        let lived = said(Command::new(&live).args([effort.live_events, LIVE_RATE]))?;
        p50.extend(lived["p50_us"].as_f64());
        p99.extend(lived["p99_us"].as_f64());
    }
    let milliseconds = |times: &mut [f64]| Quantity { value: median(times) / 1e3, unit: "ms" };
    let rate = Quantity { value: median(&mut rates), unit: "events/s" };
    Ok(vec![
        Row::goal("catch-up over HTTP", rate, 300_000.0),
        Row::limit("append to delivery over HTTP", milliseconds(&mut p50), 1.0),
        Row::limit("its 99th percentile", milliseconds(&mut p99), 5.0),
    ])
}

/// The building of a read model.
pub(super) fn read_model(place: &Place, effort: &Effort) -> Outcome<Row> {
    let load = place.example("fairway-read-models", "follow_load")?;
    let mut seconds = Vec::new();
    for _ in 0..effort.long_rounds {
        let dir = place.fresh("read-models")?;
        let said = said(Command::new(&load).arg(&dir).arg(effort.many_events))?;
        seconds.push(said["seconds"].as_f64().ok_or("a figure")?);
        std::fs::remove_dir_all(dir)?;
    }
    let taken = Quantity { value: median(&mut seconds), unit: "s" };
    Ok(Row::limit("SQL read model of 10 million events", taken, 60.0))
}

/// A ledger of many streams: opened, and read here and there.
pub(super) fn many_streams((load, dir): (&Load, &Path), effort: &Effort) -> Outcome<Vec<Row>> {
    let file = dir.join("many");
    let file = file.to_str().ok_or("a path of text")?;
    load.run(&["fill", file, effort.many_events, effort.many_streams])?;
    let figure = |name: &str, unit| -> Outcome<Quantity> {
        let mut values = Vec::new();
        for _ in 0..effort.rounds {
            let said = load.run(&["open", file, effort.many_streams, effort.many_reads])?;
            values.push(said[name].as_f64().ok_or("a figure")?);
        }
        Ok(Quantity { value: median(&mut values), unit })
    };
    let rows = vec![
        Row::limit("10 million events: opened in", figure("open_ms", "ms")?, 500.0),
        Row::limit("their largest resident memory", figure("resident_mb", "MB")?, 100.0),
        Row::limit("last event of a stream, 99th percentile", figure("p99_ms", "ms")?, 1.0),
    ];
    std::fs::remove_dir_all(dir)?;
    Ok(rows)
}
