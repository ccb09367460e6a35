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
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
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
    let server = Server::start_apart().await;
    let place = Place::on(&server);
    let mut watcher = Watcher::default();
    let ledger = place.open().await;
    for round in 0..KILLS {
        let moment = RandomState::new().hash_one(round) % 1_000 + 1;
        let url = place.url.clone();
        let said = tokio::task::spawn_blocking(move || {
            let mut raging = Raging::start(&url);
            raging.go_on_for(moment);
            raging.kill()
        });
        check(&mut watcher, &ledger, &said.await.unwrap()).await;
    }
    println!("{} acknowledged events survived {KILLS} kills", watcher.acknowledged());
    assert!(watcher.acknowledged() > 0);
}

#[tokio::test]
async fn histories_stay_linearizable_while_the_server_crashes_under_64_writers() {
    let server = Arc::new(Server::start_apart().await);
    let place = Place::on(&server);
    let mut watcher = Watcher::default();
    for _ in 0..2 {
        let (url, server) = (place.url.clone(), server.clone());
        let said = tokio::task::spawn_blocking(move || {
            let mut raging = Raging::start(&url);
            for _ in 0..3 {
                raging.go_on_for(300);
                server.restart("immediate");
            }
            raging.go_on_for(300);
            raging.kill()
        });
        check(&mut watcher, &place.open().await, &said.await.unwrap()).await;
    }
    println!("{} acknowledged events survived 6 crashes", watcher.acknowledged());
}

/// Checks what was said against the ledger. A batch that the server still has is over before that,
/// or was committed.
async fn check(watcher: &mut Watcher, ledger: &Ledger, said: &[String]) {
    let nothing = Append { stream: stream("storm-0"), expected: Expected::Any, events: Vec::new() };
    ledger.append_all(vec![nothing]).await.unwrap();
    watcher.check(ledger, said).await;
}

/// Another process whose writers append and read.
struct Raging {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: Vec<String>,
}

impl Raging {
    fn start(url: &str) -> Self {
        let mut child = child("rage", url);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, said: Vec::new() }
    }

    /// Waits until so many more operations have ended.
    fn go_on_for(&mut self, operations: u64) {
        let mut told = 0;
        while told < operations {
            let line = self.lines.next().expect("writers go on until they are killed").unwrap();
            told += u64::from(storm::is_told(&line));
            self.said.push(line);
        }
    }

    /// Kills it; returns what it said.
    fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.said.extend(self.lines.map(Result::unwrap));
        self.child.wait().unwrap();
        self.said
    }
}

/// Not a test of its own: appends and reads until it is killed.
#[tokio::test]
#[ignore = "started by another test"]
async fn rage() {
    let Some(url) = given_url() else { return };
    storm::rage(open(&url).await).await;
}
