//! Fills a ledger with old runs: repeats the runs that are there, event by event, with other keys,
//! until there are COUNT. `cargo xtask bench runs` measures a ledger with a past.
//!
//! Usage: `old_runs LEDGER COUNT`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for measuring alone")]

use fairway_ledger::{Append, BATCH_EVENTS_MAX, Expected, Ledger, NewEvent, StreamName, Version};
use fairway_model::{Digest, RunId};
use fairway_pipeline::{RunEvent, run_stream};
use std::path::PathBuf;

/// Most events of one run that are repeated.
const EVENTS_MAX: usize = 1000;
/// How many events are written at once.
const BATCH: usize = BATCH_EVENTS_MAX / 2;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let path = PathBuf::from(arguments.next().unwrap());
    let count: u64 = arguments.next().unwrap().to_str().unwrap().parse().unwrap();
    let ledger = Ledger::open(&path).unwrap();
    let known = ledger.stream_version(&counter()).await.unwrap().0;
    let models = read(&ledger, known.min(100)).await;
    let mut batch = Batch { ledger, first: known, next: known, appends: Vec::new(), events: 0 };
    while batch.next < count {
        let model = &models[usize::try_from(batch.next).unwrap() % models.len()];
        batch.repeat(model).await;
    }
    batch.write().await;
    println!("{known} runs were there, {} are now", batch.next);
}

fn counter() -> StreamName {
    "runs".parse().unwrap()
}

/// The finished runs among the first.
async fn read(ledger: &Ledger, count: u64) -> Vec<Vec<RunEvent>> {
    let mut runs = Vec::new();
    for number in 1..=count {
        let stream = run_stream(RunId(number));
        let events = ledger.read_stream(&stream, Version(0), EVENTS_MAX).await.unwrap();
        let events: Vec<RunEvent> = events.iter().map(|event| event.decode().unwrap()).collect();
        if matches!(events.last(), Some(RunEvent::RunFinished { .. })) {
            runs.push(events);
        }
    }
    runs
}

/// Runs that are to be written.
struct Batch {
    ledger: Ledger,
    /// How many runs the ledger has.
    first: u64,
    /// How many it will have.
    next: u64,
    appends: Vec<Append>,
    events: usize,
}

impl Batch {
    async fn repeat(&mut self, model: &[RunEvent]) {
        self.next += 1;
        let number = self.next;
        let events = model.iter().map(|event| {
            let event = another(event.clone(), number);
            NewEvent::new(event.kind(), &event).unwrap()
        });
        let append = Append {
            stream: run_stream(RunId(number)),
            expected: Expected::NoStream,
            events: events.collect(),
        };
        self.events += append.events.len() + 1;
        self.appends.push(append);
        if self.events >= BATCH {
            self.write().await;
        }
    }

    async fn write(&mut self) {
        let numbers = (self.first + 1..=self.next).map(RunId);
        let numbers = numbers.map(|run| NewEvent::new("run-numbered", &run).unwrap()).collect();
        let expected = Expected::Exact(Version(self.first));
        self.appends.push(Append { stream: counter(), expected, events: numbers });
        self.ledger.append_all(std::mem::take(&mut self.appends)).await.unwrap();
        (self.first, self.events) = (self.next, 0);
    }
}

/// The same event of other sources.
fn another(event: RunEvent, number: u64) -> RunEvent {
    let other = |digest: Digest| Digest::of(format!("{digest} {number}"));
    match event {
        RunEvent::RunStarted(mut start) => {
            start.plan = other(start.plan);
            start.revision.tree.0 = other(start.revision.tree.0);
            RunEvent::RunStarted(start)
        }
        RunEvent::StageStarted { stage, key } => {
            RunEvent::StageStarted { stage, key: key.map(other) }
        }
        RunEvent::StageFinished { stage, mut result } => {
            result.key = result.key.map(other);
            RunEvent::StageFinished { stage, result }
        }
        RunEvent::RunFinished { service, plan, outcome, evidence } => {
            RunEvent::RunFinished { service, plan: other(plan), outcome, evidence }
        }
        RunEvent::RunContinued | RunEvent::StageLost { .. } => event,
    }
}
