//! Several processes on one ledger: this test binary starts itself again.

use crate::place::{Place, append, events, numbers, stream};
use fairway_ledger::{AppendError, Expected, Ledger, Version};
use std::{
    collections::HashSet,
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
    let modules = ["processes", "projections"];
    Command::new(std::env::current_exe().unwrap())
        .args(modules.map(|module| format!("{module}::{test}")))
        .args(["--exact", "--ignored", "--nocapture"])
        .env(PATH, path)
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
async fn no_acknowledged_event_is_lost_when_the_process_is_killed() {
    let place = Place::new();
    let mut acknowledged = HashSet::new();
    for round in 0..20 {
        let mut child = child("append_for_ever", &place.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let moment = RandomState::new().hash_one(round) % 200 + 1;
        let number = |line: String| line.strip_prefix("ack ")?.parse::<u64>().ok();
        let mut acks = lines.by_ref().filter_map(number);
        acknowledged.extend(acks.by_ref().take(usize::try_from(moment).unwrap()));
        child.kill().unwrap();
        acknowledged.extend(acks);
        child.wait().unwrap();

        let all = numbers(&place.open()).await;
        let kept: HashSet<u64> = all.iter().copied().collect();
        assert_eq!(kept.len(), all.len(), "round {round}: no event is there twice");
        assert!(acknowledged.is_subset(&kept), "round {round}: no acknowledged event is lost");
    }
    println!("{} acknowledged events survived 20 kills", acknowledged.len());
}

/// Not a test of its own: appends numbers that are never used again, and says which are on disk.
#[tokio::test]
#[ignore = "started by another test"]
async fn append_for_ever() {
    let Some(path) = given_path() else { return };
    let ledger = Ledger::open(&path).unwrap();
    let start = ledger.head().await.unwrap().0 << 20;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..16_u64 {
        let ledger = ledger.clone();
        writers.spawn(async move {
            for number in 0.. {
                let number = start + (number << 4) + writer;
                append(&ledger, &format!("writer-{writer}"), [number]).await;
                println!("\nack {number}");
            }
        });
    }
    writers.join_next().await.unwrap().unwrap();
}
