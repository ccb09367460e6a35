//! Several processes on one ledger: this test binary starts itself again.

use crate::{
    place::{Place, append, events, numbers, open, stream},
    server::Server,
};
use fairway_ledger::{
    Append, AppendError, Expected, Ledger, Version,
    conformance::storm::{self, Watcher},
};
use std::{
    hash::{BuildHasher, RandomState},
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

const URL: &str = "FAIRWAY_TEST_LEDGER";
const PROCESSES: u64 = 6;
const EACH: u64 = 20;
const KILLS: u64 = 200;

/// Starts this binary again for one of its ignored tests.
fn child(test: &str, url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .arg(format!("processes::{test}"))
        .args(["--exact", "--ignored", "--nocapture"])
        .env(URL, url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The ledger that the parent gave; none if there is no parent.
#[expect(clippy::disallowed_methods, reason = "the way from a test to the process it starts")]
fn given_url() -> Option<String> {
    std::env::var(URL).ok()
}

#[tokio::test]
async fn six_processes_append_without_loss_or_gap() {
    let place = Place::new();
    let children: Vec<_> = (0..PROCESSES).map(|_| child("append_and_count", &place.url)).collect();
    let ended = tokio::task::spawn_blocking(|| {
        children.into_iter().all(|mut child| child.wait().unwrap().success())
    });
    assert!(ended.await.unwrap());
    let ledger = place.open().await;
    assert_eq!(numbers(&ledger).await.len() as u64, PROCESSES * EACH * 2);
    let steps = ledger.read_stream(&stream("counter"), Version(0), 10_000).await.unwrap();
    let numbers: Vec<u64> = steps.iter().map(|step| step.decode().unwrap()).collect();
    assert_eq!(numbers, (0..PROCESSES * EACH).collect::<Vec<_>>(), "no update was lost");
}

/// Not a test of its own: appends to a stream of its own, and counts up a stream of all.
#[tokio::test]
#[ignore = "started by another test"]
async fn append_and_count() {
    let Some(url) = given_url() else { return };
    let ledger = open(&url).await;
    let own = format!("process-{}", std::process::id());
    for number in 0..EACH {
        append(&ledger, &own, [number]).await;
        count_up(&ledger).await;
    }
}

async fn count_up(ledger: &Ledger) {
    let counter = stream("counter");
    let mut known = Version(0);
    loop {
        match ledger.append(&counter, Expected::Exact(known), events([known.0])).await {
            Ok(_) => return,
            Err(AppendError::Conflict { actual, .. }) => known = actual,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn two_hundred_kills_under_64_writers_lose_and_double_nothing() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let place = Place::on(&server);
    let mut watcher = Watcher::default();
    let ledger = place.open().await;
    for round in 0..KILLS {
        let url = place.url.clone();
        let said = tokio::task::spawn_blocking(move || rage_for_a_while(round, &url));
        let said = said.await.unwrap();
        // A batch that the server still has is over after this, or was committed before it.
        let nothing =
            Append { stream: stream("storm-0"), expected: Expected::Any, events: Vec::new() };
        ledger.append_all(vec![nothing]).await.unwrap();
        watcher.check(&ledger, &said).await;
    }
    println!("{} acknowledged events survived {KILLS} kills", watcher.acknowledged());
    assert!(watcher.acknowledged() > 0);
}

/// Lets writers of another process write for some random time; returns what they said.
fn rage_for_a_while(round: u64, url: &str) -> Vec<String> {
    let mut child = child("rage", url);
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
    said
}

/// Not a test of its own: appends and reads until it is killed.
#[tokio::test]
#[ignore = "started by another test"]
async fn rage() {
    let Some(url) = given_url() else { return };
    storm::rage(open(&url).await).await;
}
