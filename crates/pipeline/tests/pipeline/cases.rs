//! What a pipeline does when nothing is wrong with the machine.

use crate::{
    fixture::{World, environment, stage, stage_name},
    runner::cases,
};
use fairway_pipeline::{
    Cause, Progress, ProgressEvent, RunOutcome, Scope, Selection, StageMark, StageOutcome,
    StagePhase, StepState,
};
use std::time::Duration;

cases![
    steps_share_one_session_and_the_log_keeps_their_output,
    stages_run_side_by_side,
    artifacts_reach_the_stages_that_need_them,
    a_failing_step_ends_its_stage_and_skips_what_needs_it,
    reports_become_evidence_and_name_what_failed,
    what_is_promised_and_not_there_fails_the_stage,
    a_second_run_takes_everything_from_the_first,
    a_command_runs_in_the_place_of_steps_and_gives_its_code,
    secrets_are_filled_in_and_masked,
    a_cache_folder_is_there_again_in_the_next_run,
    the_built_image_runs_stages_without_one,
    an_image_that_is_not_there_is_named,
];

async fn steps_share_one_session_and_the_log_keeps_their_output() {
    let world = World::new();
    world.app(
        "    unit:
      steps: ['cd /tmp; export A=1', 'pwd; echo $A >&2', 'printf open', 'echo $CI $FAIRWAY_RUN $HOME']
",
    );
    let report = world.run("app").await;
    assert_eq!(report.outcome, RunOutcome::Passed, "{report:?}");
    let unit = stage(&report, "unit");
    assert!(unit.steps.iter().all(|step| step.state == StepState::Passed));
    let log = world.log(report.run, "unit");
    let mut lines: Vec<&str> = log.lines().filter(|line| !line.starts_with("looking")).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["/tmp", "1", "open", &format!("true {} /root", report.run)]);
    world.assert_gone(&format!("run-{}-unit", report.run)).await;
}

async fn stages_run_side_by_side() {
    let world = World::new();
    world.app("    a: { steps: [sleep 1] }\n    b: { steps: [sleep 1.1] }\n");
    let (report, told) = world.run_with(world.request("app", Selection::All)).await;
    assert_eq!(report.outcome, RunOutcome::Passed, "{report:?}");
    let at = |wanted: &dyn Fn(&ProgressEvent) -> bool| {
        told.iter().position(|Progress { event, .. }| wanted(event)).unwrap()
    };
    let entered = |name: &'static str| {
        move |event: &ProgressEvent| {
            let step = |phase: &StagePhase| matches!(phase, StagePhase::Step { .. });
            matches!(event, ProgressEvent::StageEntered { stage, phase }
                if stage.as_str() == name && step(phase))
        }
    };
    let finished = |event: &ProgressEvent| matches!(event, ProgressEvent::StageFinished { stage, .. } if stage.as_str() != "build");
    assert!(at(&entered("a")) < at(&finished) && at(&entered("b")) < at(&finished));
}

async fn artifacts_reach_the_stages_that_need_them() {
    let world = World::new();
    world.write("app", "src/main", "source");
    world.app(
        "    make:
      steps: [mkdir -p dist/deep, 'cat src/main > dist/deep/out', 'echo x > one', 'echo y > two.o']
      artifacts: [dist/, one]
    use:
      needs: [make]
      steps: [cat dist/deep/out one, test ! -e two.o, test -e src/main]
    apart: { steps: [test ! -e dist] }
",
    );
    let report = world.run("app").await;
    assert_eq!(report.outcome, RunOutcome::Passed, "{report:?}");
    assert!(world.log(report.run, "use").ends_with("sourcex"));
}

async fn a_failing_step_ends_its_stage_and_skips_what_needs_it() {
    let world = World::new();
    world.app(
        "    bad: { steps: ['true', 'echo one\n\n          (exit 3)\n\n          echo two', 'true'] }
    next: { needs: [bad], steps: ['true'] }
",
    );
    let report = world.run("app").await;
    assert_eq!(report.outcome, RunOutcome::Failed);
    let bad = stage(&report, "bad");
    let cause = Cause::Step { step: Some(1), code: 3 };
    assert_eq!(bad.outcome, StageOutcome::Failed { cause });
    let states: Vec<_> = bad.steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [StepState::Passed, StepState::Failed, StepState::NotReached]);
    let because = Some(stage_name("bad"));
    assert_eq!(stage(&report, "next").outcome, StageOutcome::Skipped { because });
    assert!(!world.log(report.run, "bad").contains("two"));
    assert_eq!(report.evidence, None);
}

async fn reports_become_evidence_and_name_what_failed() {
    let world = World::new();
    world.write(
        "app",
        "good.xml",
        "<testsuite><testcase name='a'/><testcase name='b'/></testsuite>",
    );
    world.write(
        "app",
        "bad.xml",
        "<testsuite><testcase name='c'><failure/></testcase></testsuite>",
    );
    world.app(
        "    unit: { steps: [mkdir out, cp good.xml out/], reports: ['out/*.xml'] }
    more: { steps: [cp bad.xml junit.xml, 'test -e go'], reports: [junit.xml] }
",
    );
    let report = world.run("app").await;
    let tests = stage(&report, "more").outputs.tests.clone().unwrap();
    assert_eq!((tests.tests, tests.failing), (1, vec!["c".to_owned()]));
    world.write("app", "go", "");
    let report = world.run("app").await;
    assert_eq!(report.outcome, RunOutcome::Passed, "{report:?}");
    let evidence = report.evidence.unwrap();
    assert_eq!((evidence.tests.tests, evidence.tests.failures), (3, 1));
    assert_eq!(evidence.scope, Scope::Complete);
    assert!(evidence.image.is_some());
}

async fn what_is_promised_and_not_there_fails_the_stage() {
    let world = World::new();
    world.app(
        "    a: { steps: ['true'], artifacts: ['dist/*.js'] }
    b: { steps: ['echo x > junit.xml'], reports: [junit.xml] }
",
    );
    let report = world.run("app").await;
    let cause = Cause::NothingMatches { pattern: "dist/*.js".to_owned() };
    assert_eq!(stage(&report, "a").outcome, StageOutcome::Failed { cause });
    let StageOutcome::Failed { cause } = &stage(&report, "b").outcome else { panic!("b passed") };
    assert!(matches!(cause, Cause::BadReport { .. }), "{cause}");
}

async fn a_second_run_takes_everything_from_the_first() {
    let world = World::new();
    world.app(
        "    make: { steps: [echo x > out], artifacts: [out] }
    use: { needs: [make], steps: [cat out] }
",
    );
    let first = world.run("app").await;
    assert_eq!(first.outcome, RunOutcome::Passed, "{first:?}");
    let second = world.run("app").await;
    assert_ne!(second.run, first.run);
    for name in ["build", "make", "use"] {
        let from_first = StageOutcome::Cached { run: first.run };
        assert_eq!(stage(&second, name).outcome, from_first, "{name}");
        assert_eq!(stage(&second, name).outputs, stage(&first, name).outputs);
    }
    assert!(!world.dir.join("runs").join(second.run.to_string()).exists());
    world.write("app", "file", "changed");
    let third = world.run("app").await;
    assert!(third.stages.iter().all(|(_, result)| result.outcome == StageOutcome::Passed));
    let listed = world.runs().last(10).await.unwrap();
    let counts: Vec<_> = listed
        .iter()
        .map(|view| (view.run.count(StageMark::Passed), view.run.count(StageMark::Cached)))
        .collect();
    assert_eq!(counts, [(3, 0), (0, 3), (3, 0)]);
}

async fn a_command_runs_in_the_place_of_steps_and_gives_its_code() {
    let world = World::new();
    world.write("app", "file", "text");
    world.app("    unit: { steps: ['true'] }\n");
    for (command, code) in [("cat file", 0), ("exit 7", 7), ("sh -c 'kill -9 $$'; exit $?", 137)] {
        let command = ["sh", "-c", command].map(str::to_owned).to_vec();
        let selection = Selection::Command { stage: None, command };
        let (report, _) = world.run_with(world.request("app", selection)).await;
        assert_eq!(report.exit_code(), Some(code), "{report:?}");
        assert_eq!(report.stages.len(), 1);
    }
}

async fn secrets_are_filled_in_and_masked() {
    let world = World::new();
    let token = "token".parse().unwrap();
    let value = "very-secret-value".parse().unwrap();
    let now = world.ledger.clock().now();
    world.secrets.set(&environment(), &token, &value, now).unwrap();
    world.app(
        "    show:
      env: { TOKEN: '${secret:token}', OTHER: 'x${secret:other}' }
      steps: [echo $TOKEN, 'echo $OTHER | wc -c', 'echo $OTHER', 'printf very-; echo secret-value']
",
    );
    let report = world.run("app").await;
    let log = world.log(report.run, "show");
    let lines: Vec<&str> = log.lines().skip(1).collect();
    assert_eq!(lines, ["***", "34", "x***", "***"]);
    world.secrets.set(&environment(), &token, &value, now).unwrap();
    let again = world.run("app").await;
    assert_eq!(stage(&again, "show").outcome, StageOutcome::Passed, "its version is in the key");
}

async fn a_cache_folder_is_there_again_in_the_next_run() {
    let world = World::new();
    world.app("    a: { steps: ['touch ~/.kept/x; ls ~/.kept | wc -l'], cache: [~/.kept] }\n");
    world.run("app").await;
    world.write("app", "file", "changed");
    world.app("    a: { steps: ['touch ~/.kept/y; ls ~/.kept | wc -l'], cache: [~/.kept] }\n");
    let report = world.run("app").await;
    assert!(world.log(report.run, "a").ends_with('2'), "{report:?}");
}

async fn the_built_image_runs_stages_without_one() {
    let world = World::new();
    world.write("app", "file", "in the image");
    world.service("app", "{service: app, pipeline: {stages: {unit: {steps: [cat /app/file]}}}}");
    let report = world.run("app").await;
    assert_eq!(report.outcome, RunOutcome::Passed, "{report:?}");
    assert_eq!(world.log(report.run, "unit"), "in the image");
    assert_eq!(report.image(), report.evidence.unwrap().image);
    let total: Duration = report.stages.iter().map(|(_, result)| result.duration).sum();
    assert!(total > Duration::ZERO);
}

async fn an_image_that_is_not_there_is_named() {
    let world = World::new();
    world.app("    a: { image: nowhere, steps: ['true'] }\n");
    let report = world.run("app").await;
    let StageOutcome::Failed { cause } = &stage(&report, "a").outcome else { panic!("it passed") };
    assert_eq!(cause.to_string(), "there is no image `nowhere:latest`");
}
