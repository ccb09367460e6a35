//! Faults of pipelines as a user meets them: killed, interrupted and twice at once.

use crate::{
    facts::{self, assert_nothing_lost_or_doubled},
    remains::{self, helpers},
    seed::{random, seed},
    world::{World, until},
};
use fairway_pipeline::RunEvent;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

const KILLS: u64 = 20;
/// How long anything may take to go.
const GONE_WITHIN: Duration = Duration::from_secs(5);
/// About as long as a run of the fleet takes; how long it does take is then measured.
const RUN_AT_FIRST: Duration = Duration::from_millis(500);

#[test]
fn a_run_that_is_killed_at_a_random_moment_goes_on_with_the_next_command() {
    let world = World::new();
    let seed = seed();
    let mut whole = RUN_AT_FIRST;
    for kill in 0..KILLS {
        world.write("services/greeter/version.txt", &format!("{kill}\n"));
        world.commit();
        let pause = whole * u32::try_from(random(seed, kill) % 1_000).unwrap() / 1_000;
        let mut run = quiet(&world, &["run", "greeter"]);
        thread::sleep(pause);
        run.kill().unwrap();
        run.wait().unwrap();
        let start = Instant::now();
        let outcome = world.fairway(&["run", "greeter"]);
        whole = start.elapsed().max(RUN_AT_FIRST);
        assert_eq!(outcome.code, 0, "seed {seed}, kill {kill} after {pause:?}: {outcome}");
        remains::assert_gone(world.home());
    }
    assert_nothing_lost_or_doubled(&world);
    let events = facts::runs(&world).concat();
    assert!(events.contains(&RunEvent::RunContinued), "no kill met a run");
    let releases = world.fairway(&["releases", "greeter", "--output", "json"]).passed().json();
    assert_eq!(releases.as_array().unwrap().len() as u64, KILLS, "seed {seed}: {releases}");
}

#[test]
fn a_stage_whose_helper_is_killed_is_named_lost_and_run_again() {
    let world = World::new();
    world.write("services/hello/fairway.yaml", &unit("[echo started; sleep 2]"));
    world.commit();
    let mut run = spoken(&world, &["run", "hello"]);
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "hello/unit | started"));
    let stage = helpers(world.home(), "__container");
    assert!(!stage.is_empty());
    remains::end(&stage, Signal::KILL);
    let rest: Vec<String> = lines.collect();
    assert!(run.wait().unwrap().success(), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("lost")), "{rest:?}");
    let events = facts::runs(&world).concat();
    assert!(events.iter().any(|event| matches!(event, RunEvent::StageLost { .. })), "{events:?}");
}

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    for signal in [Signal::INT, Signal::TERM] {
        let world = World::new();
        let steps = "[\"echo started; trap '' INT TERM; (trap '' TERM; sleep 1000) & sleep 1000\"]";
        world.write("services/hello/fairway.yaml", &unit(steps));
        let mut run = spoken(&world, &["run", "hello"]);
        let mut lines = BufReader::new(run.stderr.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "hello/unit | started"));
        let interrupted = Instant::now();
        kill_process(pid(&run), signal).unwrap();
        let rest: Vec<String> = lines.collect();
        assert_eq!(run.wait().unwrap().code(), Some(1), "{rest:?}");
        assert!(interrupted.elapsed() < GONE_WITHIN, "{:?}", interrupted.elapsed());
        assert!(rest.iter().any(|line| line.contains("cancelled")), "{rest:?}");
        remains::assert_gone(world.home());
    }
}

#[test]
fn two_runs_of_one_service_at_once_both_end_green() {
    let world = World::new();
    let mut runs = [(); 2].map(|()| spoken(&world, &["run", "greeter"]));
    for run in &mut runs {
        let said: Vec<String> =
            BufReader::new(run.stderr.take().unwrap()).lines().map(Result::unwrap).collect();
        assert!(run.wait().unwrap().success(), "{said:#?}");
    }
    assert_nothing_lost_or_doubled(&world);
    let releases = world.fairway(&["releases", "greeter", "--output", "json"]).passed().json();
    assert_eq!(releases.as_array().unwrap().len(), 1, "{releases}");
}

#[test]
fn what_a_killed_run_left_goes_within_five_seconds_without_a_next_command() {
    let world = World::new();
    world.write("services/hello/fairway.yaml", &unit("[echo started; sleep 1000]"));
    let mut run = spoken(&world, &["run", "hello"]);
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "hello/unit | started"));
    run.kill().unwrap();
    run.wait().unwrap();
    let killed = Instant::now();
    until("the end of all containers", || {
        helpers(world.home(), "__container").is_empty().then_some(())
    });
    assert!(killed.elapsed() < GONE_WITHIN, "{:?}", killed.elapsed());
    // Files that belong to nobody are removed by the next command.
    world.fairway(&["run", "hello", "--stage", "build"]).passed();
}

/// `hello` with one stage of these steps.
fn unit(steps: &str) -> String {
    format!(
        "service: hello\nport: 8080\npipeline: {{ stages: {{ unit: {{ needs: [build], steps: {steps} }} }} }}\n"
    )
}

fn quiet(world: &World, arguments: &[&str]) -> Child {
    world.program(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn spoken(world: &World, arguments: &[&str]) -> Child {
    world.program(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap()
}
