//! For who watches the server: whether it can be used, and how much it does.

use crate::{
    access::Right,
    answer,
    api::{READERS_MAX, Shared},
    call::Call,
    problem::Problem,
};
use axum::{extract::State, response::Response};
use fairway_events::{GroupSummary, Groups};
use fairway_read_models::Status;
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

/// Most groups of which figures are given.
const GROUPS_MAX: usize = 200;
const GROUP_LAG: (&str, &str) = ("fairway_group_lag", "Events that a group has not finished");
const GROUP_PARKED: (&str, &str) = ("fairway_group_parked", "Events that a group has parked");
const READ_MODEL_LAG: (&str, &str) =
    ("fairway_read_model_lag", "Positions that a read model is behind the ledger");
const READ_MODEL_PARKED: (&str, &str) =
    ("fairway_read_model_parked", "Events that wait at a read model, failed ones and those behind");

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

/// `GET /metrics`: of groups and read models those that the caller may see.
pub(crate) async fn metrics(call: Call) -> Result<Response, Problem> {
    let api = call.api.clone();
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
    let mut seen = api.groups.list().await?;
    seen.retain(|group| call.may_see(group.id.source()));
    seen.truncate(GROUPS_MAX);
    text += &groups(api.groups.clone(), seen).await?;
    if let Some(models) = &api.read_models {
        let mut seen = models.list().await?;
        seen.retain(|status| call.may_model(Right::Read, &status.name));
        text += &read_models(seen);
    }
    Ok(answer::typed(StatusCode::OK, METRICS, text))
}

/// How far groups are behind.
async fn groups(groups: Groups, seen: Vec<GroupSummary>) -> Result<String, Problem> {
    let (mut lag, mut parked) = (Lines::new(GROUP_LAG), Lines::new(GROUP_PARKED));
    for GroupSummary { id, .. } in seen {
        // One that was removed meanwhile has no figures.
        let Ok(info) = groups.info(&id).await else { continue };
        let labels = format!("source=\"{}\",group=\"{}\"", id.source(), id.name());
        lag.add(&labels, info.lag.events());
        parked.add(&labels, info.parked as u64);
    }
    Ok(lag.text + &parked.text)
}

/// How far read models are behind.
fn read_models(seen: Vec<Status>) -> String {
    let (mut lag, mut parked) = (Lines::new(READ_MODEL_LAG), Lines::new(READ_MODEL_PARKED));
    for status in seen {
        let Some(live) = &status.live else { continue };
        let labels = format!("read_model=\"{}\"", status.name);
        lag.add(&labels, live.lag(status.head));
        parked.add(&labels, live.standing.parked);
    }
    lag.text + &parked.text
}

/// The figures of one name, with labels.
struct Lines {
    name: &'static str,
    text: String,
}

impl Lines {
    fn new((name, help): (&'static str, &str)) -> Self {
        Self { name, text: format!("# HELP {name} {help}\n# TYPE {name} gauge\n") }
    }

    /// Names of groups and read models need no escapes in labels.
    fn add(&mut self, labels: &str, value: u64) {
        let line = format!("{}{{{labels}}} {value}\n", self.name);
        self.text.push_str(&line);
    }
}

fn metric(text: &mut String, (name, help, kind): (&str, &str, &str), value: u64) {
    let lines = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    text.write_str(&lines).expect("writing to a string succeeds");
}
