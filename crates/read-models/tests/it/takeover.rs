//! Processes on several machines follow one ledger: one of them does, and the next when it is gone.

use crate::{
    drivers::{COUNTED, Driver, append, counted, open},
    place::{PATIENCE, Place, ask, at_least, name, until},
    server::Server,
    tables::Tables,
};
use fairway_ledger::{Ledger, Version};
use fairway_read_models::{Fact, ReadModelError, ReadModels};
use std::collections::BTreeMap;

/// A ledger of the test's own in a server, and a database for tables.
async fn shared(server: &Server, test: &str) -> (String, Ledger, Tables) {
    let address = server.url(test);
    let ledger = open(&address).await;
    (address, ledger, Tables::in_postgres(server, test).await)
}

/// How often somebody claimed a ledger.
async fn claims(ledger: &Ledger) -> u64 {
    ledger.stream_version(&"$read-models".parse().unwrap()).await.unwrap().0
}

async fn claimed(ledger: &Ledger, times: u64) {
    until(async || (claims(ledger).await >= times).then_some(())).await;
}

async fn settled(models: &ReadModels) {
    let orders = name("orders");
    let settled = tokio::time::timeout(PATIENCE, models.settled(&orders)).await;
    settled.expect("somebody does what was asked").unwrap();
}

/// Which builds came to be read, and which were removed, each with how often that was written down.
async fn written(ledger: &Ledger) -> (BTreeMap<u64, u32>, BTreeMap<u64, u32>) {
    let stream = "$read-model-orders".parse().unwrap();
    let (mut live, mut removed) = (BTreeMap::new(), BTreeMap::new());
    for event in ledger.read_stream(&stream, Version(0), 1_000).await.unwrap() {
        match Fact::of(&event).unwrap() {
            Fact::Live { build } => *live.entry(build).or_default() += 1,
            Fact::BuildRemoved { build } => *removed.entry(build).or_default() += 1,
            _ => {}
        }
    }
    (live, removed)
}

#[tokio::test]
async fn when_the_machine_that_follows_is_killed_the_next_goes_on_where_it_was() {
    let (ledger_at, ledger, tables) = shared(Server::shared(), "takeover_killed").await;
    let [first, second, here] = [(); 3].map(|()| Place::new());
    let models = ReadModels::open(ledger.clone(), tables.places(&here));
    models.apply(&tables.declaration(COUNTED, 1)).await.unwrap();
    let killed = Driver::start(&ledger_at, (&first, &tables));
    claimed(&ledger, 1).await;
    let _next = Driver::start(&ledger_at, (&second, &tables));
    for version in 1..4 {
        models.apply(&tables.declaration(COUNTED, version)).await.unwrap();
        let last = append(&ledger, version * 100 - 100..version * 100).await;
        models.wait(&name("orders"), at_least(last)).await.unwrap();
        settled(&models).await;
    }
    assert_eq!(claims(&ledger).await, 1, "the second waits");
    drop(killed);
    let last = append(&ledger, 300..1_000).await;
    assert_eq!(ask(&models, "sum", &[], at_least(last)).await.rows, counted(1_000));
    assert_eq!(claims(&ledger).await, 2);
    let (live, removed) = written(&ledger).await;
    assert_eq!((live.len(), removed.len()), (3, 2));
    assert!(live.values().chain(removed.values()).all(|times| *times == 1), "{live:?} {removed:?}");
}

#[tokio::test]
async fn a_machine_that_was_paused_does_no_harm_and_waits_when_it_wakes() {
    let (ledger_at, ledger, tables) = shared(Server::shared(), "takeover_paused").await;
    let [first, second, here] = [(); 3].map(|()| Place::new());
    let models = ReadModels::open(ledger.clone(), tables.places(&here));
    models.apply(&tables.declaration(COUNTED, 1)).await.unwrap();
    let start = |place| Driver::start(&ledger_at, (place, &tables));
    let mut drives = start(&first);
    claimed(&ledger, 1).await;
    let mut waits = start(&second);
    let mut count = 0;
    for round in 1..5 {
        let last = append(&ledger, count..count + 500).await;
        models.wait(&name("orders"), at_least(last)).await.unwrap();
        models.rebuild(&name("orders")).await.unwrap();
        append(&ledger, count + 500..count + 1_000).await;
        drives.pause();
        claimed(&ledger, round + 1).await;
        settled(&models).await;
        drives.wake();
        let last = append(&ledger, count + 1_000..count + 1_500).await;
        count += 1_500;
        assert_eq!(ask(&models, "sum", &[], at_least(last)).await.rows, counted(count));
        (drives, waits) = (waits, drives);
    }
    drop(drives);
    let last = append(&ledger, count..count + 500).await;
    assert_eq!(ask(&models, "sum", &[], at_least(last)).await.rows, counted(count + 500));
    drop(waits);
    let (live, removed) = written(&ledger).await;
    assert!(live.values().chain(removed.values()).all(|times| *times == 1), "{live:?} {removed:?}");
}

#[tokio::test]
async fn who_takes_over_from_a_machine_that_is_paused_has_no_failure_to_tell() {
    let (ledger_at, ledger, tables) = shared(Server::shared(), "takeover_quiet").await;
    let [first, second] = [(); 2].map(|()| Place::new());
    let paused = Driver::start(&ledger_at, (&first, &tables));
    claimed(&ledger, 1).await;
    let (models, mut following) =
        ReadModels::start(ledger.clone(), tables.places(&second)).unwrap();
    models.apply(&tables.declaration(COUNTED, 1)).await.unwrap();
    settled(&models).await;
    paused.pause();
    claimed(&ledger, 2).await;
    let last = append(&ledger, 0..100).await;
    assert_eq!(ask(&models, "sum", &[], at_least(last)).await.rows, counted(100));
    assert_eq!(following.remarks.try_recv().ok(), None);
    following.stop().await;
}

#[tokio::test]
async fn who_stops_lets_the_next_follow_at_once_and_files_stay_where_they_are() {
    let (_, ledger, _) = shared(Server::shared(), "takeover_stopped").await;
    let [first, second] = [(); 2].map(|()| Place::new());
    let (models, following) = first.start(&ledger);
    models.apply(&Tables::Sqlite.declaration(COUNTED, 1)).await.unwrap();
    let last = append(&ledger, 0..100).await;
    assert_eq!(ask(&models, "sum", &[], at_least(last)).await.rows, counted(100));
    let (waiting, next) = second.start(&ledger);
    settled(&waiting).await;
    let elsewhere = waiting.parked(&name("orders"), 1).await.unwrap_err();
    assert!(elsewhere.to_string().contains("on the machine that follows"), "{elsewhere}");
    assert!(matches!(elsewhere, ReadModelError::Target(_)));
    following.stop().await;
    assert_eq!(ask(&waiting, "sum", &[], at_least(last)).await.rows, counted(100));
    next.stop().await;
    assert_eq!(claims(&ledger).await, 2);
}
