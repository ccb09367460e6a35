//! Several processes on one ledger: this test binary starts itself again.

use crate::place::{Place, append, id, name, next, quick, soon, until};
use fairway_events::{Consumer, Delivery, GroupError, Groups, Nack, Save, Settings};
use fairway_ledger::{Ledger, Position};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    hash::{BuildHasher, RandomState},
    io::{BufRead, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

const PATH: &str = "FAIRWAY_TEST_LEDGER";
const STREAMS: u64 = 10;
const EVENTS: u64 = 6_000;
/// Most events that a child takes before it is killed.
const TAKEN_MAX: u64 = 600;

/// Starts this binary again for its ignored test. What it prints comes line by line.
fn child(path: &Path) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["processes::consume_for_ever", "--exact", "--ignored", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

#[expect(clippy::disallowed_methods, reason = "the way from a test to the process it starts")]
fn given_path() -> Option<PathBuf> {
    std::env::var_os(PATH).map(PathBuf::from)
}

/// Not a test of its own: takes events, says so, and acknowledges all but some.
#[tokio::test]
#[ignore = "started by another test"]
async fn consume_for_ever() {
    let Some(path) = given_path() else { return };
    let groups = Groups::open(Ledger::open(&path).unwrap());
    let mut consumer = groups.connect(&id("$ce-order"), &name("child"), 20).await.unwrap();
    while let Ok(delivery) = consumer.next().await {
        let event = &delivery.event;
        println!("\ntaken {} {} {}", event.position, event.stream, event.version);
        answer(&consumer, &delivery).await;
    }
}

/// What a child said that it took: positions, streams and versions.
fn taken(lines: impl Iterator<Item = String>) -> impl Iterator<Item = (u64, String, u64)> {
    lines.filter_map(|line| {
        let mut words = line.strip_prefix("taken ")?.split(' ');
        let mut next = || words.next();
        Some((next()?.parse().ok()?, next()?.to_owned(), next()?.parse().ok()?))
    })
}

#[tokio::test]
async fn killed_consumers_leave_nothing_out_and_repeat_little() {
    let place = Place::new();
    let groups = place.open();
    let id = id("$ce-order");
    groups
        .create(&id, Settings { buffer: 50, save: Save { max: 20, ..quick().save }, ..quick() })
        .await
        .unwrap();
    for start in (1..=EVENTS).step_by(100) {
        let stream = format!("order-{}", start / 100 % STREAMS);
        append(groups.ledger(), &stream, start..start + 100).await;
    }
    let mut first = First::default();
    let mut kills = 0_u64;
    while first.seen.len() as u64 + TAKEN_MAX < EVENTS {
        let (mut child, lines) = child(&place.path());
        let mut lines = lines.map(Result::unwrap);
        kills += 1;
        let count = RandomState::new().hash_one(kills) % TAKEN_MAX;
        for (_, event) in (0..=count).zip(taken(lines.by_ref())) {
            first.see(event);
        }
        child.kill().unwrap();
        taken(lines).for_each(|event| first.see(event));
        child.wait().unwrap();
    }
    let mut rest = groups.connect(&id, &name("rest"), 50).await.unwrap();
    while (first.seen.len() as u64) < EVENTS {
        let delivery = next(&mut rest).await;
        let event = delivery.event.clone();
        first.see((event.position.0, event.stream.to_string(), event.version.0));
        answer(&rest, &delivery).await;
    }
    println!("{} of {EVENTS} events came again in {kills} kills", first.repeats);
    assert_eq!(first.versions.len() as u64, STREAMS);
    for (stream, versions) in first.versions {
        assert_eq!(versions, (1..=EVENTS / STREAMS).collect::<Vec<_>>(), "order of {stream}");
    }
    let acking = tokio::spawn(async move {
        while let Ok(delivery) = rest.next().await {
            answer(&rest, &delivery).await;
        }
    });
    let info = until(&groups, &id, |info| info.lag.events() == 0).await;
    let positions = groups.parked(&id, Position(0), 1_000).await.unwrap();
    let parked: BTreeSet<u64> = positions.iter().map(|parked| parked.position.0).collect();
    assert_eq!(info.parked, parked.len());
    let expected = (1..=EVENTS + 1).filter(|position| position.is_multiple_of(97));
    assert_eq!(parked, expected.collect());
    soon(groups.close()).await;
    acking.await.unwrap();
}

/// Which events were taken, and in which order when they were for the first time.
#[derive(Default)]
struct First {
    seen: HashSet<u64>,
    versions: BTreeMap<String, Vec<u64>>,
    repeats: u64,
}

impl First {
    fn see(&mut self, (position, stream, version): (u64, String, u64)) {
        if self.seen.insert(position) {
            self.versions.entry(stream).or_default().push(version);
        } else {
            self.repeats += 1;
        }
    }
}

/// Parks one event of 97 and acknowledges the others.
async fn answer(consumer: &Consumer, delivery: &Delivery) {
    let token = [delivery.token()];
    if delivery.event.position.0.is_multiple_of(97) {
        consumer.nack(token, Nack::Park, "97").await.unwrap();
    } else {
        consumer.ack(token).await.unwrap();
    }
}

#[tokio::test]
async fn one_process_at_a_time_drives_a_group_and_a_killed_one_makes_way() {
    let place = Place::new();
    let groups = place.open();
    let id = id("$ce-order");
    groups.create(&id, quick()).await.unwrap();
    append(groups.ledger(), "order-1", [1]).await;
    let (mut child, lines) = child(&place.path());
    let mut lines = lines.map(Result::unwrap);
    assert_eq!(taken(lines.by_ref()).next(), Some((2, "order-1".to_owned(), 1)));
    let refused = groups.connect(&id, &name("a"), 1).await;
    assert!(matches!(refused, Err(GroupError::DrivenElsewhere(_))));
    assert!(groups.info(&id).await.unwrap().live.is_none());
    child.kill().unwrap();
    child.wait().unwrap();
    append(groups.ledger(), "order-2", [2]).await;
    let mut consumer = groups.connect(&id, &name("a"), 1).await.unwrap();
    let mut numbers = BTreeSet::new();
    while !numbers.contains(&2) {
        numbers.extend(crate::place::ack_all(&mut consumer, 1).await);
    }
}

#[tokio::test]
async fn one_handle_at_a_time_drives_a_group_and_hears_what_others_decide() {
    let place = Place::new();
    let (mine, other) = (place.open(), place.open());
    let id = id("order-1");
    mine.create(&id, quick()).await.unwrap();
    append(mine.ledger(), "order-1", 1..=3).await;
    let mut consumer = mine.connect(&id, &name("a"), 1).await.unwrap();
    let refused = other.connect(&id, &name("b"), 1).await;
    assert!(matches!(refused, Err(GroupError::DrivenElsewhere(_))));
    let link = place.path().with_file_name("link");
    std::os::unix::fs::symlink(place.path(), &link).unwrap();
    let by_link = Groups::open(Ledger::open(&link).unwrap());
    let refused = by_link.connect(&id, &name("c"), 1).await;
    assert!(matches!(refused, Err(GroupError::DrivenElsewhere(_))), "by any path");
    let first = soon(consumer.next()).await.unwrap();
    consumer.nack([first.token()], Nack::Park, "no").await.unwrap();
    until(&other, &id, |info| info.parked == 1).await;
    assert_eq!(other.replay_parked(&id, 1).await.unwrap(), 1);
    let mut positions = BTreeSet::new();
    while positions.len() < 3 {
        let delivery = soon(consumer.next()).await.unwrap();
        positions.insert(delivery.event.position);
        consumer.ack([delivery.token()]).await.unwrap();
    }
    soon(mine.close()).await;
    let closed = mine.connect(&id, &name("a"), 1).await;
    assert!(matches!(closed, Err(GroupError::Ended { .. })));
    let mut consumer = other.connect(&id, &name("b"), 1).await.unwrap();
    let none = tokio::time::timeout(Duration::from_millis(50), consumer.next()).await;
    assert!(none.is_err(), "all was acknowledged and stored");
}
