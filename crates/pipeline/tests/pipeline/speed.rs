//! What is known is answered fast, however many runs there were.

use crate::{
    fixture::{World, stage},
    runner::cases,
};
use fairway_ledger::{Append, Expected, NewEvent};
use fairway_model::{Digest, RunId};
use fairway_pipeline::{
    RunEvent, RunOutcome, RunStart, Selection, StageOutcome, StageResult, run_stream,
};
use std::time::{Duration, Instant};

cases![an_unchanged_pipeline_is_answered_fast_with_ten_thousand_old_runs];

/// How many old runs there are.
const OLD: u64 = 10_000;
/// The answer takes at most this long in an unoptimized build.
const LIMIT: Duration = Duration::from_millis(300);

async fn an_unchanged_pipeline_is_answered_fast_with_ten_thousand_old_runs() {
    let world = World::new();
    world.app("    a: { steps: ['true'] }\n    b: { steps: [':'] }\n    c: { needs: [a], steps: ['true '] }\n");
    add_old_runs(&world).await;
    let first = world.run("app").await;
    assert_eq!((first.run, first.outcome), (RunId(OLD + 1), RunOutcome::Passed), "{first:?}");
    let request = world.request("app", Selection::All);
    let began = Instant::now();
    let (second, _) = world.run_with(request).await;
    let took = began.elapsed();
    assert!(matches!(stage(&second, "c").outcome, StageOutcome::Cached { .. }));
    let began = Instant::now();
    let listed = world.runs().last(20).await.unwrap();
    assert_eq!(listed.len(), 20);
    println!("unchanged: {took:.2?}, list of runs: {:.2?}", began.elapsed());
    assert!(took < LIMIT, "{took:?}");
}

/// Fills the ledger as old runs of the service would.
async fn add_old_runs(world: &World) {
    let checkout = world.request("app", Selection::All).checkout;
    let stages = ["build", "a", "b", "c"].map(|name| name.parse().unwrap());
    let mut appends = Vec::new();
    for run in 1..=OLD {
        let plan = Digest::of(run.to_le_bytes());
        let start = RunStart {
            service: checkout.service.name.clone(),
            revision: checkout.revision.clone(),
            config: checkout.config,
            selection: Selection::All,
            target: None,
            plan,
            stages: stages.to_vec(),
        };
        let mut events = vec![RunEvent::RunStarted(start)];
        events.extend(stages.iter().map(|stage| {
            let mut result = StageResult::bare(StageOutcome::Passed);
            result.key = Some(Digest::of(format!("{run} {stage}")));
            RunEvent::StageFinished { stage: stage.clone(), result: Box::new(result) }
        }));
        let service = checkout.service.name.clone();
        let outcome = RunOutcome::Passed;
        events.push(RunEvent::RunFinished { service, plan, outcome, evidence: None });
        let events = events.iter().map(|e| NewEvent::new(e.kind(), e).unwrap()).collect();
        appends.push(Append {
            stream: run_stream(RunId(run)),
            expected: Expected::NoStream,
            events,
        });
        if appends.len() == 500 {
            world.ledger.append_all(std::mem::take(&mut appends)).await.unwrap();
        }
    }
    let numbers = (1..=OLD).map(|run| NewEvent::new("run-numbered", &run).unwrap());
    let numbers: Vec<NewEvent> = numbers.collect();
    for part in numbers.chunks(5_000) {
        let stream = "runs".parse().unwrap();
        world.ledger.append(&stream, Expected::Any, part.to_vec()).await.unwrap();
    }
}
