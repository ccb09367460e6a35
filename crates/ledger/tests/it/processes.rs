//! Several processes on one ledger: this test binary starts itself again.

use crate::place::{Place, append, events, numbers, stream};
use fairway_ledger::{
    AppendError, Expected, Ledger, Version,
    conformance::storm::{self, Watcher},
};
use std::{
    hash::{BuildHasher, RandomState},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

const PATH: &str = "FAIRWAY_TEST_LEDGER";
const PROCESSES: u64 = 8;
const EACH: u64 = 40;

/// Starts this binary again for one of its ignored tests.
pub(crate) fn child(test: &str, path: &Path) -> Child {
    child_with(test, path, &[])
}

/// Starts it with more variables.
pub(crate) fn child_with(test: &str, path: &Path, env: &[(&str, &str)]) -> Child {
    let modules = ["processes", "projections"];
    Command::new(std::env::current_exe().unwrap())
        .args(modules.map(|module| format!("{module}::{test}")))
        .args(["--exact", "--ignored", "--nocapture"])
        .env(PATH, path)
        .envs(env.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The ledger that the parent gave; none if there is no parent.
#[expect(clippy::disallowed_methods, reason = "the way from a test to the process it starts")]
pub(crate) fn given_path() -> Option<PathBuf> {
    std::env::var_os(PATH).map(PathBuf::from)
}

#[tokio::test]
async fn eight_processes_append_without_loss_or_gap() {
    let place = Place::new();
    let children: Vec<_> =
        (0..PROCESSES).map(|_| child("append_and_count", &place.path())).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let ledger = place.open();
    let all = numbers(&ledger).await;
    assert_eq!(all.len() as u64, PROCESSES * EACH * 2);
    let counter = stream("counter");
    let steps = ledger.read_stream(&counter, Version(0), 10_000).await.unwrap();
    let numbers: Vec<u64> = steps.iter().map(|step| step.decode().unwrap()).collect();
    assert_eq!(numbers, (0..PROCESSES * EACH).collect::<Vec<_>>(), "no update was lost");
}

/// Not a test of its own: appends to a stream of its own, and counts up a stream of all.
#[tokio::test]
#[ignore = "started by another test"]
async fn append_and_count() {
    let Some(path) = given_path() else { return };
    let ledger = Ledger::open(&path).unwrap();
    let own = format!("process-{}", std::process::id());
    for number in 0..EACH {
        append(&ledger, &own, [number]).await;
        count_up(&ledger).await;
    }
}

async fn count_up(ledger: &Ledger) {
    let counter = stream("counter");
    loop {
        let version = ledger.stream_version(&counter).await.unwrap();
        let next = events([version.0]);
        match ledger.append(&counter, Expected::Exact(version), next).await {
            Ok(_) => return,
            Err(AppendError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn two_hundred_kills_under_64_writers_lose_and_double_nothing() {
    let place = Place::new();
    let mut watcher = Watcher::default();
    for round in 0..200 {
        let mut child = child("rage", &place.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let moment = RandomState::new().hash_one(round) % 1_000 + 1;
        let (mut said, mut told) = (Vec::new(), 0);
        while told < moment {
            let line = lines.next().expect("writers go on until they are killed");
            told += u64::from(storm::is_told(&line));
            said.push(line);
        }
        child.kill().unwrap();
        said.extend(lines);
        child.wait().unwrap();
        watcher.check(&place.open(), &said).await;
    }
    println!("{} acknowledged events survived 200 kills", watcher.acknowledged());
    assert!(watcher.acknowledged() > 0);
}

/// Not a test of its own: appends and reads until it is killed.
#[tokio::test]
#[ignore = "started by another test"]
async fn rage() {
    let Some(path) = given_path() else { return };
    storm::rage(Ledger::open(&path).unwrap()).await;
}
