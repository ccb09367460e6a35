//! What is left and what goes on when something is killed.

use crate::{
    driver,
    fixture::{World, stage},
    runner::cases,
};
use fairway_engine_embedded::Settings;
use fairway_ledger::Version;
use fairway_model::RunId;
use fairway_pipeline::{
    RunEvent, RunOutcome, RunRecord, StageOutcome, StageStatus, Standing, run_stream,
};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

cases![
    a_killed_run_goes_on_from_its_last_finished_stage,
    a_killed_run_of_other_sources_is_interrupted,
    a_lost_stage_is_named_so_and_run_again,
    twenty_kills_lose_and_double_nothing,
    twenty_kills_of_helpers_are_survived,
];

/// A stage that hangs the first time and passes the second.
const HANGS_ONCE: &str =
    "cache: [/kept], steps: ['if test ! -e /kept/x; then touch /kept/x; sleep 1000; fi']";

/// Waits for a condition with a deadline.
async fn until<T>(what: &str, mut seen: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(value) = seen().await {
            return value;
        }
        assert!(Instant::now() < deadline, "{what} does not happen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until a stage of a run is in its first step.
async fn running(world: &World, run: RunId, name: &str) {
    until("the stage", async || {
        let (record, _) = RunRecord::read(&world.ledger, run).await.unwrap()?;
        let found = record.stages.iter().find(|stage| stage.stage.as_str() == name)?;
        (found.status == StageStatus::Running).then_some(())
    })
    .await;
    until("its step", async || find(&world.dir, "x").then_some(())).await;
}

/// The processes whose command line contains a text.
fn processes(text: &str) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let matching = pids.filter(|pid| {
        fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).replace('\0', " ").contains(text))
    });
    matching.filter_map(Pid::from_raw).filter(|pid| *pid != rustix::process::getpid()).collect()
}

/// Waits until no process, mount or runtime file of the containers of a data directory is left.
async fn nothing_left(dir: &Path) {
    let began = Instant::now();
    let name = dir.file_name().unwrap().to_str().unwrap().to_owned();
    let runtime = Settings::runtime_dir_of(dir).file_name().unwrap().to_str().unwrap().to_owned();
    until("the end of all containers", async || {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let is_clean = processes(&name).is_empty()
            && processes(&runtime).is_empty()
            && !mounts.contains(&name)
            && !mounts.contains(&runtime);
        is_clean.then_some(())
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

async fn events(world: &World, run: RunId) -> Vec<RunEvent> {
    let events = world.ledger.read_stream(&run_stream(run), Version(0), 1000).await.unwrap();
    events.iter().map(|event| event.decode().unwrap()).collect()
}

async fn a_killed_run_goes_on_from_its_last_finished_stage() {
    let world = World::new();
    world.app(&format!(
        "    first: {{ steps: ['true'] }}\n    second: {{ needs: [first], {HANGS_ONCE} }}\n"
    ));
    let mut driver = driver::start(&world.dir);
    running(&world, RunId(1), "second").await;
    let standing = world.runs().last(1).await.unwrap()[0].standing;
    assert_eq!(standing, Standing::Running);
    driver.kill().unwrap();
    driver.wait().unwrap();
    assert_eq!(world.runs().last(1).await.unwrap()[0].standing, Standing::Abandoned);
    nothing_left(&world.dir).await;
    let report = world.run("app").await;
    assert_eq!((report.run, report.outcome), (RunId(1), RunOutcome::Passed), "{report:?}");
    assert_eq!(stage(&report, "first").outcome, StageOutcome::Passed);
    let events = events(&world, RunId(1)).await;
    let started = |name: &str| {
        let is_start = |event: &&RunEvent| matches!(event, RunEvent::StageStarted { stage, .. } if stage.as_str() == name);
        events.iter().filter(is_start).count()
    };
    assert_eq!((started("first"), started("second")), (1, 2));
    let lost = events.iter().filter(|event| matches!(event, RunEvent::StageLost { .. })).count();
    assert_eq!(lost, 1);
}

async fn a_killed_run_of_other_sources_is_interrupted() {
    let world = World::new();
    world.app(&format!("    t: {{ {HANGS_ONCE} }}\n"));
    let mut driver = driver::start(&world.dir);
    running(&world, RunId(1), "t").await;
    driver.kill().unwrap();
    driver.wait().unwrap();
    world.write("app", "file", "changed");
    let report = world.run("app").await;
    assert_eq!((report.run, report.outcome), (RunId(2), RunOutcome::Passed), "{report:?}");
    let listed = world.runs().last(2).await.unwrap();
    assert_eq!(listed[1].standing, Standing::Ended(RunOutcome::Interrupted));
    nothing_left(&world.dir).await;
}

async fn a_lost_stage_is_named_so_and_run_again() {
    let world = World::new();
    world.app(&format!("    t: {{ {HANGS_ONCE} }}\n"));
    let kill = async {
        running(&world, RunId(1), "t").await;
        for helper in processes("run-1-t") {
            kill_process(helper, Signal::KILL).unwrap();
        }
    };
    let (report, ()) = tokio::join!(world.run("app"), kill);
    assert_eq!(report.outcome, RunOutcome::Passed, "{report:?}");
    assert_eq!(stage(&report, "t").notes.lost, 1);
    let events = events(&world, RunId(1)).await;
    assert!(events.iter().any(|event| matches!(event, RunEvent::StageLost { .. })));
    nothing_left(&world.dir).await;
}

/// Whether a file of this name is in a volume of a data directory.
fn find(dir: &Path, name: &str) -> bool {
    let Ok(entries) = fs::read_dir(dir) else { return false };
    entries.filter_map(Result::ok).any(|entry| {
        entry.file_name() == name || (entry.path().is_dir() && find(&entry.path(), name))
    })
}

async fn twenty_kills_lose_and_double_nothing() {
    let world = World::new();
    world.app(
        "    a: { steps: [sleep 0.1], artifacts: [Dockerfile] }
    b: { needs: [a], uses: [{ db: { image: busybox, command: [sleep, '1000'], port: 1, ready: { exec: ['true'] } } }], steps: [sleep 0.1] }
    c: { needs: [a], steps: [sleep 0.2] }
    d: { needs: [b, c], steps: ['true'] }
",
    );
    let mut moments = moments();
    for _ in 0..20 {
        let mut driver = driver::start(&world.dir);
        tokio::time::sleep(moments.next().unwrap()).await;
        driver.kill().unwrap();
        driver.wait().unwrap();
    }
    let report = world.run("app").await;
    assert_eq!(report.outcome, RunOutcome::Passed, "{report:?}");
    for run in 1..=report.run.0 {
        let events = events(&world, RunId(run)).await;
        for name in ["build", "a", "b", "c", "d"] {
            let finished = |event: &&RunEvent| matches!(event, RunEvent::StageFinished { stage, .. } if stage.as_str() == name);
            assert_eq!(events.iter().filter(finished).count(), 1, "{name} of run {run}");
        }
    }
    nothing_left(&world.dir).await;
}

/// Random moments of the first second of a run.
fn moments() -> impl Iterator<Item = Duration> {
    let next = |seed: &u32| Some(seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    let seeds = std::iter::successors(Some(std::process::id()), next).skip(1);
    seeds.map(|seed| Duration::from_millis(u64::from(seed >> 22)))
}

async fn twenty_kills_of_helpers_are_survived() {
    let world = World::new();
    world.app(
        "    a:
      uses: [{ db: { image: busybox, command: [sleep, '1000'], port: 1, ready: { exec: ['true'] } } }]
      steps: [sleep 0.3]
    b: { needs: [a], steps: [sleep 0.3] }
",
    );
    let runtime = Settings::runtime_dir_of(&world.dir).to_str().unwrap().to_owned();
    let mut lost = 0;
    for (number, moment) in (0..20).zip(moments()) {
        world.write("app", "file", &number.to_string());
        let kill = async {
            tokio::time::sleep(moment).await;
            for helper in processes(&format!("__container run {runtime}")) {
                let killed = kill_process(helper, Signal::KILL);
                assert!(matches!(killed, Ok(()) | Err(Errno::SRCH)), "{killed:?}");
            }
        };
        let (report, ()) = tokio::join!(world.run("app"), kill);
        assert_eq!(report.outcome, RunOutcome::Passed, "after {moment:?}: {report:?}");
        lost += report.stages.iter().map(|(_, result)| result.notes.lost).sum::<u32>();
    }
    assert!(lost > 0, "no kill met a stage");
    nothing_left(&world.dir).await;
}
