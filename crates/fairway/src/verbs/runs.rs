//! `fairway runs`: what ran, the newest first.

use crate::{
    app::{App, block_on},
    failure::{Doing, Exit, Failure},
    moment::{ago, iso, span},
    printer::{Format, Printer},
};
use fairway_ledger::Clock;
use fairway_model::{Revision, RunId, ServiceName, Timestamp};
use fairway_pipeline::{RunLogs, RunOutcome, RunSummary, RunView, Runs, StageMark, Standing};
use serde::Serialize;
use std::time::Duration;

/// List runs
#[derive(clap::Args)]
pub struct Args {
    /// At most so many runs
    #[arg(short = 'n', long, value_name = "RUNS", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
}

/// One run of the list.
#[derive(Serialize)]
struct Row {
    run: RunId,
    service: ServiceName,
    revision: Revision,
    state: State,
    started: String,
    milliseconds: Option<u64>,
    stages: usize,
    ran: usize,
    cached: usize,
    #[serde(skip)]
    age: String,
}

/// How a run stands, in one word.
#[derive(Serialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum State {
    Running,
    Abandoned,
    Passed,
    Failed,
    Cancelled,
    Interrupted,
}

/// Prints the newest runs of the data directory.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let runs = Runs::new(app.ledger()?, RunLogs::new(app.data("runs")?));
    let last = block_on(async { runs.last(usize::from(args.limit)).await.doing("read the runs") })?;
    let now = Clock::system().now();
    let rows: Vec<Row> = last.into_iter().map(|view| Row::of(view, now)).collect();
    match printer.format {
        Format::Json => printer.json(&rows),
        Format::Text if rows.is_empty() => {
            printer.talk("nothing ran yet; `fairway run` runs the pipelines of a fleet\n");
        }
        Format::Text => {
            let header =
                ["RUN", "SERVICE", "REVISION", "STATE", "STARTED", "TIME", "RAN", "CACHED"];
            printer.table(&header, &rows.iter().map(Row::cells).collect::<Vec<_>>());
        }
    }
    Ok(Exit::Done)
}

impl Row {
    fn of(view: RunView<RunSummary>, now: Timestamp) -> Self {
        let RunView { run, standing } = view;
        let state = State::of(standing);
        let end = match state {
            State::Running => Some(now),
            _ => run.ended,
        };
        let ran = [StageMark::Passed, StageMark::Failed, StageMark::Cancelled];
        Self {
            run: run.run,
            state,
            started: iso(run.started),
            age: ago(run.started, now),
            milliseconds: end.map(|end| milliseconds(end.since(run.started))),
            stages: run.stages,
            ran: ran.into_iter().map(|mark| run.count(mark)).sum(),
            cached: run.count(StageMark::Cached),
            service: run.service,
            revision: run.revision,
        }
    }

    fn cells(&self) -> Vec<String> {
        let took = self.milliseconds.map(Duration::from_millis);
        vec![
            self.run.to_string(),
            self.service.to_string(),
            self.revision.to_string(),
            self.state.word().to_owned(),
            self.age.clone(),
            took.map_or_else(|| "-".to_owned(), span),
            self.ran.to_string(),
            self.cached.to_string(),
        ]
    }
}

impl State {
    fn of(standing: Standing) -> Self {
        match standing {
            Standing::Running => Self::Running,
            Standing::Abandoned => Self::Abandoned,
            Standing::Ended(RunOutcome::Passed) => Self::Passed,
            Standing::Ended(RunOutcome::Failed) => Self::Failed,
            Standing::Ended(RunOutcome::Cancelled) => Self::Cancelled,
            Standing::Ended(RunOutcome::Interrupted) => Self::Interrupted,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Abandoned => "abandoned",
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
