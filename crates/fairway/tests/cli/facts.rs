//! What the ledger says of runs.

use crate::world::World;
use fairway_ledger::{Ledger, Version};
use fairway_model::RunId;
use fairway_pipeline::{RunEvent, run_stream};
use std::collections::BTreeMap;

/// More events than a run of these tests has.
const EVENTS_MAX: usize = 1000;

/// The events of every run, the first run first.
pub fn runs(world: &World) -> Vec<Vec<RunEvent>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::open(&world.home().join("ledger.db")).unwrap();
        let mut runs = Vec::new();
        loop {
            let stream = run_stream(RunId(runs.len() as u64 + 1));
            let events = ledger.read_stream(&stream, Version(0), EVENTS_MAX).await.unwrap();
            if events.is_empty() {
                return runs;
            }
            runs.push(events.iter().map(|event| event.decode().unwrap()).collect());
        }
    })
}

/// Fails unless every run ended once, and each of its stages once.
#[track_caller]
pub fn assert_nothing_lost_or_doubled(world: &World) {
    for (index, events) in runs(world).into_iter().enumerate() {
        let mut ends: BTreeMap<String, usize> = BTreeMap::new();
        for event in &events {
            match event {
                RunEvent::RunStarted(start) => {
                    ends.extend(start.stages.iter().map(|stage| (stage.to_string(), 0)));
                    ends.insert("the run".to_owned(), 0);
                }
                RunEvent::StageFinished { stage, .. } => {
                    *ends.entry(stage.to_string()).or_default() += 1;
                }
                RunEvent::RunFinished { .. } => *ends.entry("the run".to_owned()).or_default() += 1,
                RunEvent::RunContinued
                | RunEvent::StageStarted { .. }
                | RunEvent::StageLost { .. } => {}
            }
        }
        let run = index + 1;
        assert!(ends.values().all(|count| *count == 1), "run {run}: {ends:?} of {events:#?}");
    }
}
