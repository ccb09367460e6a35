//! For who watches the server: whether it can be used, and how much it does.

use crate::{
    answer,
    api::{READERS_MAX, Shared},
    call::Call,
    problem::Problem,
};
use axum::{extract::State, response::Response};
use http::StatusCode;
use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// The media type of plain text.
const TEXT: &str = "text/plain; charset=utf-8";
/// The media type of metrics (Prometheus text format).
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What happened since the server was started.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) appends: AtomicU64,
    pub(crate) events_appended: AtomicU64,
    pub(crate) conflicts: AtomicU64,
    pub(crate) events_read: AtomicU64,
    pub(crate) refusals: AtomicU64,
}

impl Metrics {
    /// Counts something.
    pub(crate) fn count(counter: &AtomicU64, by: usize) {
        counter.fetch_add(by as u64, Ordering::Relaxed);
    }
}

/// `GET /healthz`: whether the ledger can be read. Needs no token.
pub(crate) async fn health(State(api): State<Arc<Shared>>) -> Result<Response, Problem> {
    api.ledger.head().await?;
    Ok(answer::typed(StatusCode::OK, TEXT, "ok\n"))
}

/// `GET /metrics`.
pub(crate) async fn metrics(call: Call) -> Result<Response, Problem> {
    let api = &call.api;
    let Metrics { appends, events_appended, conflicts, events_read, refusals } = &api.metrics;
    let counters = [
        ("fairway_appends_total", "Appends that were done", appends),
        ("fairway_events_appended_total", "Events that were appended", events_appended),
        ("fairway_conflicts_total", "Appends to streams that were not as expected", conflicts),
        ("fairway_events_read_total", "Events that were sent to readers", events_read),
        ("fairway_refusals_total", "Requests without a valid token", refusals),
    ];
    let mut text = String::new();
    for (name, help, counter) in counters {
        metric(&mut text, (name, help, "counter"), counter.load(Ordering::Relaxed));
    }
    let open = (READERS_MAX - api.readers.available_permits()) as u64;
    let help = "Readers that are given everything or what comes";
    metric(&mut text, ("fairway_readers", help, "gauge"), open);
    let head = api.ledger.head().await?.0;
    let help = "The position of the last event of the ledger";
    metric(&mut text, ("fairway_ledger_position", help, "gauge"), head);
    Ok(answer::typed(StatusCode::OK, METRICS, text))
}

fn metric(text: &mut String, (name, help, kind): (&str, &str, &str), value: u64) {
    let lines = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    text.write_str(&lines).expect("writing to a string succeeds");
}
