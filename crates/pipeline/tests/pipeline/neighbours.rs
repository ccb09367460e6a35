//! Stages with neighbours.

use crate::{
    fixture::{World, stage},
    runner::cases,
};
use fairway_pipeline::{Cause, RunOutcome, ServiceOrigin, StageOutcome, StageResult};
use std::{sync::atomic::Ordering, time::Duration};

cases![
    a_stage_reaches_images_and_services_by_their_short_names,
    services_that_use_each_other_start_together,
    a_neighbour_that_ends_fails_the_stage_at_once_with_its_last_lines,
    a_neighbour_that_never_gets_ready_fails_the_stage_at_its_deadline,
    a_neighbour_that_dies_under_a_running_stage_ends_it,
    a_service_without_a_release_is_built_once,
    a_stage_starts_within_100_ms_of_the_moment_its_neighbour_is_ready,
];

/// A command that answers each connection to a port with a text.
fn answering(port: u16, text: &str) -> String {
    format!("[sh, -c, 'while true; do echo {text} | nc -l -p {port}; done']")
}

/// A server that answers one after the other is away for a moment in between.
const ASK: &str =
    "ask() { for i in $(seq 50); do nc -w 5 $1 $2 < /dev/null && return; sleep 0.1; done; }";

fn failure(result: &StageResult) -> &Cause {
    match &result.outcome {
        StageOutcome::Failed { cause } => cause,
        other => panic!("the stage did not fail: {other:?}"),
    }
}

async fn a_stage_reaches_images_and_services_by_their_short_names() {
    let world = World::new();
    world.service(
        "catalog",
        "{service: catalog, port: 80, ready: { log: up }, env: { WHO: '${secret:who}' },
          uses: { db: { image: busybox, command: [sh, -c, 'echo ready; sleep 1000'], ready: { log: ready } } }}",
    );
    world.write("catalog", "Dockerfile", "echo up; while true; do hostname | nc -l -p 80; done");
    let db = answering(5432, "orders-db");
    world.service(
        "app",
        &format!(
            "service: app
uses:
  db: {{ image: busybox, command: {db}, port: 5432, ready: {{ log: '' }} }}
  shop: {{ service: catalog }}
env: {{ SERVICE_VARIABLE: given }}
pipeline:
  image: busybox
  stages:
    contract:
      uses: [db, shop]
      steps: ['{ASK}', 'test \"$(ask db 5432)\" = orders-db', 'test -n \"$(ask shop 80)\"',
              'test -n \"$(ask catalog 80)\"', 'test $SERVICE_VARIABLE = given',
              '! nslookup db.catalog || ping -c 1 -w 1 db.catalog']
    alone: {{ steps: ['test -z \"$SERVICE_VARIABLE\"'] }}
"
        )
        .replace("ready: { log: '' }", "ready: { tcp: 5432 }"),
    );
    let report = world.run("app").await;
    assert_eq!(report.outcome, RunOutcome::Passed, "{report:#?}");
    let evidence = report.evidence.unwrap();
    let names: Vec<_> = evidence.neighbours.iter().map(|fact| fact.name.as_str()).collect();
    assert_eq!(names, ["catalog", "db.app", "db.catalog"]);
    let origin = evidence.neighbours[0].origin.as_ref();
    assert!(matches!(origin, Some(ServiceOrigin::Revision(_))), "{origin:?}");
    assert_eq!(evidence.images.len(), 1);
}

async fn services_that_use_each_other_start_together() {
    let world = World::new();
    for (name, other) in [("left", "right"), ("right", "left")] {
        let text = format!(
            "{{service: {name}, port: 80, ready: {{ log: met }}, uses: {{ {other}: {{ service: {other} }} }}}}"
        );
        world.service(name, &text);
        let script = format!(
            "(while true; do echo {name} | nc -l -p 80; done) &\nuntil test -n \"$(nc -w 1 {other} 80 < /dev/null)\"; do :; done; echo met; sleep 1000"
        );
        world.write(name, "Dockerfile", &script);
    }
    world.service(
        "app",
        "{service: app, uses: { left: { service: left } },
          pipeline: { image: busybox, stages: { t: { uses: [left], steps: ['true'] } } }}",
    );
    let report = world.run("app").await;
    assert_eq!(report.outcome, RunOutcome::Passed, "{report:#?}");
}

async fn a_neighbour_that_ends_fails_the_stage_at_once_with_its_last_lines() {
    let world = World::new();
    world.app(
        "    t:
      uses: [{ db: { image: busybox, command: [sh, -c, 'echo no disk; exit 3'], port: 1 } }]
      steps: ['true']
",
    );
    let report = world.run("app").await;
    let result = stage(&report, "t");
    let Cause::NeighbourDied { neighbour, log, .. } = failure(result) else { panic!("{result:?}") };
    assert_eq!((neighbour.as_str(), log.as_slice()), ("db.t.app", &["no disk".to_owned()][..]));
    assert!(result.duration < Duration::from_secs(10), "{result:?}");
    assert!(world.log(report.run, "t").contains("db.t.app | no disk"));
    world.assert_gone(&format!("run-{}-t", report.run)).await;
}

async fn a_neighbour_that_never_gets_ready_fails_the_stage_at_its_deadline() {
    let world = World::new();
    world.app(
        "    t:
      uses:
        - db:
            image: busybox
            command: [sh, -c, 'echo thinking; sleep 1000']
            ready: { tcp: 5432, deadline: 1s }
      steps: ['true']
",
    );
    let report = world.run("app").await;
    let result = stage(&report, "t");
    let cause = failure(result);
    assert!(matches!(cause, Cause::NeighbourUnready { .. }), "{cause}");
    assert_eq!(cause.log(), ["thinking"]);
    assert!(result.duration < Duration::from_secs(5), "{result:?}");
}

async fn a_neighbour_that_dies_under_a_running_stage_ends_it() {
    let world = World::new();
    world.app(
        "    t:
      uses: [{ db: { image: busybox, command: [sh, -c, 'echo up; sleep 1; exit 1'], ready: { log: up } } }]
      steps: [sleep 100]
",
    );
    let report = world.run("app").await;
    let result = stage(&report, "t");
    assert!(matches!(failure(result), Cause::NeighbourDied { .. }), "{result:?}");
    assert!(result.duration < Duration::from_secs(20));
}

async fn a_service_without_a_release_is_built_once() {
    let world = World::new();
    world.service("catalog", "{service: catalog, port: 80, ready: { log: up }}");
    world.write("catalog", "Dockerfile", "echo up; sleep 1000");
    world.service(
        "app",
        "{service: app, uses: { catalog: { service: catalog } }, pipeline: { image: busybox,
          stages: { a: { uses: [catalog], steps: [echo a] }, b: { uses: [catalog], steps: [echo b] } } }}",
    );
    let (app, catalog) = tokio::join!(world.run("app"), world.run("catalog"));
    assert_eq!((app.outcome, catalog.outcome), (RunOutcome::Passed, RunOutcome::Passed), "{app:?}");
    assert_eq!(world.images.builds.load(Ordering::SeqCst), 2, "app and catalog, once each");
    let again = world.run("app").await;
    assert!(again.stages.iter().all(|(_, r)| matches!(r.outcome, StageOutcome::Cached { .. })));
}

async fn a_stage_starts_within_100_ms_of_the_moment_its_neighbour_is_ready() {
    let world = World::new();
    let db = "[sh, -c, 'sleep 0.4; read t _ < /proc/uptime; echo up; while :; do echo $t | nc -l -p 80; done']";
    world.app(&format!(
        "    t:
      uses: [{{ db: {{ image: busybox, command: {db}, ready: {{ log: up }} }} }}]
      steps: ['read now _ < /proc/uptime', 'echo $(nc -w 5 db 80 < /dev/null) $now']
"
    ));
    let mut delays = Vec::new();
    for attempt in 0..5 {
        world.write("app", "file", &attempt.to_string());
        let report = world.run("app").await;
        assert_eq!(report.outcome, RunOutcome::Passed, "{report:?}");
        let log = world.log(report.run, "t");
        let (ready, started) = log.lines().last().unwrap().split_once(' ').unwrap();
        let seconds = |text: &str| text.parse::<f64>().unwrap();
        delays.push(seconds(started) - seconds(ready));
    }
    // The machine may be busy with other things at some of these moments.
    assert!(delays.iter().any(|delay| *delay <= 0.1), "{delays:?}");
    println!("started after {delays:.2?} s");
}
