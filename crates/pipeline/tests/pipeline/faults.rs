//! Stages that misbehave, each named as what it is.

use crate::{
    fixture::{World, stage},
    runner::cases,
};
use fairway_pipeline::{
    Canceller, Cause, ProgressEvent, RunOutcome, RunReport, Selection, StageOutcome, StagePhase,
    StepState,
};
use std::time::{Duration, Instant};

cases![
    a_stage_that_takes_too_long_is_ended_with_its_daemons,
    a_stage_that_needs_too_much_memory_says_so,
    a_child_that_needs_too_much_memory_is_noted,
    a_stage_that_makes_too_many_processes_says_so,
    a_log_of_a_gigabyte_is_cut_and_the_stage_passes,
    cancelling_leaves_nothing_behind,
    steps_that_cannot_be_run_are_explained,
];

fn cause<'a>(report: &'a RunReport, name: &str) -> &'a Cause {
    match &stage(report, name).outcome {
        StageOutcome::Failed { cause } => cause,
        other => panic!("stage `{name}` did not fail: {other:?}"),
    }
}

async fn a_stage_that_takes_too_long_is_ended_with_its_daemons() {
    let world = World::new();
    world.app(
        "    slow:
      timeout: 1s
      steps: ['true', 'trap \"\" TERM; (trap \"\" TERM; sleep 1000) & sleep 1000']
",
    );
    let began = Instant::now();
    let report = world.run("app").await;
    assert!(matches!(cause(&report, "slow"), Cause::TimedOut { step: Some(1), .. }), "{report:?}");
    let states: Vec<_> = stage(&report, "slow").steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [StepState::Passed, StepState::Interrupted]);
    assert!(began.elapsed() < Duration::from_secs(10));
    world.assert_gone(&format!("run-{}-slow", report.run)).await;
}

async fn a_stage_that_needs_too_much_memory_says_so() {
    let world = World::new();
    world.app(
        "    big: { resources: { memory: 32Mi }, steps: [tail -c 200000000 /dev/zero > /dev/null] }
    good: { steps: [sleep 1] }
",
    );
    let mut request = world.request("app", Selection::All);
    request.on_failure = fairway_pipeline::OnFailure::GoOn;
    let (report, _) = world.run_with(request).await;
    let text = cause(&report, "big").to_string();
    assert_eq!(text, "it needed more memory than its limit of 32Mi", "{report:?}");
    assert_eq!(stage(&report, "good").outcome, StageOutcome::Passed);
}

async fn a_child_that_needs_too_much_memory_is_noted() {
    let world = World::new();
    world.app(
        "    t: { resources: { memory: 32Mi }, steps: ['tail -c 200000000 /dev/zero > /dev/null || true'] }
",
    );
    let report = world.run("app").await;
    let result = stage(&report, "t");
    assert_eq!(result.outcome, StageOutcome::Passed, "{result:?}");
    assert!(result.notes.memory_kills > 0, "{result:?}");
}

async fn a_stage_that_makes_too_many_processes_says_so() {
    let world = World::new();
    world.app(
        "    t:
      resources: { pids: 64 }
      steps: ['i=0; while [ $i -lt 100000 ]; do sleep 1000 & i=$((i+1)); done']
",
    );
    let report = world.run("app").await;
    let text = cause(&report, "t").to_string();
    assert_eq!(text, "it reached its limit of 64 processes", "{report:?}");
}

async fn a_log_of_a_gigabyte_is_cut_and_the_stage_passes() {
    let world = World::new();
    world.app("    t: { steps: [yes 0123456789012345678901234567890123456789 | head -c 1000000000, 'true'] }\n");
    let report = world.run("app").await;
    let result = stage(&report, "t");
    assert_eq!(result.outcome, StageOutcome::Passed, "{result:?}");
    assert!(result.notes.log_dropped > 800_000_000, "{:?}", result.notes);
    assert!(result.steps.iter().all(|step| step.state == StepState::Passed));
    let log = world.dir.join(format!("runs/{}/t.log", report.run));
    assert!(log.metadata().unwrap().len() < 200 << 20);
    assert!(world.log(report.run, "t").contains("the log reached its limit of 64Mi"));
}

async fn cancelling_leaves_nothing_behind() {
    let world = World::new();
    world.app("    a: { steps: [sleep 1000] }\n    b: { needs: [a], steps: ['true'] }\n");
    let (canceller, cancel) = Canceller::new();
    let mut cancelled_at = None;
    let see = |event: &ProgressEvent| {
        let ProgressEvent::StageEntered { phase: StagePhase::Step { .. }, .. } = event else {
            return;
        };
        cancelled_at = Some(Instant::now());
        canceller.cancel();
    };
    let request = world.request("app", Selection::All);
    let (report, _) = world.run_until(request, cancel, see).await;
    assert!(cancelled_at.unwrap().elapsed() < Duration::from_secs(5));
    assert_eq!(report.outcome, RunOutcome::Cancelled);
    assert_eq!(stage(&report, "a").outcome, StageOutcome::Cancelled);
    assert_eq!(stage(&report, "b").outcome, StageOutcome::Skipped { because: None });
    world.assert_gone(&format!("run-{}-a", report.run)).await;
    let listed = world.runs().last(1).await.unwrap();
    assert_eq!(listed[0].run.outcome, Some(RunOutcome::Cancelled));
}

async fn steps_that_cannot_be_run_are_explained() {
    let world = World::new();
    world.app("    t: { steps: [nonsense-command] }\n");
    let report = world.run("app").await;
    assert_eq!(cause(&report, "t"), &Cause::Step { step: Some(0), code: 127 });
    assert!(world.log(report.run, "t").contains("nonsense-command"));
    let selection =
        Selection::Command { stage: None, command: vec!["/no/such/program".to_owned()] };
    let (report, _) = world.run_with(world.request("app", selection)).await;
    assert!(cause(&report, "command").to_string().contains("/no/such/program"), "{report:?}");
}
