use crate::{
    place::{Place, append, events, numbers, open, stream},
    server::{Server, until},
};
use fairway_ledger::{AppendError, Clock, Expected, LedgerError, Position};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Mutex, task::JoinSet};

const WRITERS: u64 = 32;

/// Writers and a reader go on while the server crashes again and again.
#[tokio::test]
async fn a_server_that_crashes_loses_nothing_and_nobody_notices() {
    let server = Arc::new(Server::start_apart().await);
    let place = Place::on(&server);
    let ledger = place.open().await;
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (ledger, acknowledged) = (ledger.clone(), acknowledged.clone());
        writers.spawn(async move {
            for number in 0.. {
                let number = number * WRITERS + writer;
                append(&ledger, &format!("a-{writer}"), [number]).await;
                acknowledged.lock().await.push(number);
            }
        });
    }
    let mut subscription = ledger.subscribe(Position(0)).unwrap();
    let follower = tokio::spawn(async move {
        let mut seen = Vec::new();
        loop {
            let event = subscription.next().await.unwrap();
            if event.stream == stream("end") {
                return seen;
            }
            seen.push(event.position.0);
        }
    });
    for _ in 0..4 {
        let before = acknowledged.lock().await.len();
        until("writers go on", async || acknowledged.lock().await.len() > before + 100).await;
        let server = server.clone();
        tokio::task::spawn_blocking(move || server.restart("immediate")).await.unwrap();
    }
    let before = acknowledged.lock().await.len();
    until("writers go on", async || acknowledged.lock().await.len() > before + 100).await;
    writers.shutdown().await;
    append(&ledger, "end", [u64::MAX]).await;

    let kept = numbers(&ledger).await;
    let mut once = kept.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), kept.len(), "no event is there twice");
    let acknowledged = acknowledged.lock().await;
    assert!(acknowledged.iter().all(|number| once.binary_search(number).is_ok()), "none is lost");
    let seen = follower.await.unwrap();
    assert_eq!(seen, (1..kept.len() as u64).collect::<Vec<_>>());
    println!("{} appends survived 4 crashes of the server", acknowledged.len());
}

#[tokio::test]
async fn a_server_that_is_away_is_named_after_a_while() {
    let server = Server::start_apart().await;
    let place = Place::on(&server);
    let ledger = place.open().await;
    append(&ledger, "a", [0]).await;
    server.stop();
    let a = stream("a");
    let append = ledger.append(&a, Expected::Any, events([1]));
    let (read, appended) = tokio::join!(ledger.head(), append);
    assert!(matches!(read, Err(LedgerError::Unreachable { .. })), "{read:?}");
    let error = appended.unwrap_err().to_string();
    assert!(error.ends_with("cannot be reached"), "{error}");
    let opened = fairway_ledger_postgres::open(&place.url, Clock::system()).await;
    assert!(matches!(opened, Err(LedgerError::Unreachable { .. })), "{opened:?}");
}

/// A copy of the server that follows it and takes no writes.
#[tokio::test]
async fn a_standby_is_read_and_followed() {
    let server = Arc::new(Server::start_apart().await);
    let place = Place::on(&server);
    let ledger = place.open().await;
    append(&ledger, "a", 0..100).await;
    let first = server.clone();
    let standby = tokio::task::spawn_blocking(move || Server::standby_of(&first)).await.unwrap();
    let copy = open(&standby.url(&place.schema)).await;
    let mut subscription = copy.subscribe(Position(99)).unwrap();
    for number in 99..110 {
        let next = tokio::time::timeout(Duration::from_secs(20), subscription.next());
        assert_eq!(next.await.unwrap().unwrap().decode::<u64>().unwrap(), number);
        append(&ledger, "a", [number + 1]).await;
    }
    let refused = copy.append(&stream("a"), Expected::Any, events([0])).await.unwrap_err();
    assert!(matches!(refused, AppendError::Ledger(LedgerError::NotWritable { .. })), "{refused}");
}

/// Server and role say that commits need not wait for the disk, and nothing else writes the log.
#[tokio::test]
async fn what_is_acknowledged_survives_a_crash_of_a_server_that_does_not_wait_for_the_disk() {
    let server = Arc::new(Server::start_apart().await);
    let place = Place::on(&server);
    for setting in [
        "ALTER SYSTEM SET synchronous_commit = off",
        "ALTER SYSTEM SET wal_writer_delay = '10s'",
        "ALTER ROLE postgres SET synchronous_commit = off",
        "SELECT pg_reload_conf()",
    ] {
        server.ask(setting).await;
    }
    let is_off = async || server.ask("SHOW synchronous_commit").await.as_deref() == Some("off");
    until("it is off for everybody", is_off).await;
    let ledger = place.open().await;
    for number in 0..3 {
        append(&ledger, "a", [number]).await;
        let server = server.clone();
        tokio::task::spawn_blocking(move || server.restart("immediate")).await.unwrap();
        assert_eq!(numbers(&ledger).await, (0..=number).collect::<Vec<_>>());
    }
}
