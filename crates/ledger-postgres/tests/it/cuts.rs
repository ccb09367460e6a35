use crate::{
    place::{Place, append, numbers, open, stream},
    proxy::{Hold, Proxy},
    server::{Server, until},
};
use fairway_ledger::{Expected, NewEvent, Position};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Mutex, task::JoinSet};

fn said(text: &str) -> Vec<NewEvent> {
    vec![NewEvent::new("said", &text).unwrap()]
}

/// The batch is committed, but the server's answer never comes.
#[tokio::test]
async fn an_answer_that_is_lost_is_found_out() {
    let (place, proxy) = (Place::new(), Proxy::before(Server::shared()).await);
    let ledger = open(&proxy.url(&place.schema)).await;
    append(&ledger, "a", [0]).await;
    proxy.hold(Hold::Answers("kept by the server"));
    let appended =
        ledger.append(&stream("a"), Expected::Any, said("kept by the server")).await.unwrap();
    assert_eq!((proxy.held(), appended.position), (1, Position(2)));
    append(&ledger, "a", [1]).await;
    assert_eq!(ledger.read_all(Position(0), 9).await.unwrap().len(), 3, "nothing is there twice");
}

/// The batch never gets to the server, or only when it is too late.
#[tokio::test]
async fn a_request_that_is_lost_is_made_again_and_stored_once() {
    let (place, proxy) = (Place::new(), Proxy::before(Server::shared()).await);
    let ledger = open(&proxy.url(&place.schema)).await;
    append(&ledger, "a", [0]).await;
    proxy.hold(Hold::Requests("lost on its way"));
    let appended =
        ledger.append(&stream("a"), Expected::Any, said("lost on its way")).await.unwrap();
    assert_eq!((proxy.held(), appended.position), (1, Position(2)));
    proxy.go_on();
    append(&ledger, "a", [1]).await;
    assert_eq!(ledger.read_all(Position(0), 9).await.unwrap().len(), 3, "nothing is there twice");
}

/// Sixteen writers, whose connections are ended again and again.
#[tokio::test]
async fn connections_that_are_killed_lose_and_double_nothing() {
    let server = Server::shared();
    let place = Place::new();
    let ledger = place.open().await;
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
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let mut writers = JoinSet::new();
    for writer in 0..16_u64 {
        let (ledger, acknowledged) = (ledger.clone(), acknowledged.clone());
        writers.spawn(async move {
            for number in 0.. {
                let number = number * 16 + writer;
                append(&ledger, &format!("a-{writer}"), [number]).await;
                acknowledged.lock().await.push(number);
            }
        });
    }
    for round in 1..=15 {
        until("some are written", async || acknowledged.lock().await.len() > round * 20).await;
        let end = format!(
            "SELECT pg_terminate_backend(l.pid) FROM pg_locks l, {}.appender
             WHERE locktype = 'advisory' AND objid::bigint = token
             AND classid = (hashtext('{}')::bigint & 4294967295)::oid",
            place.schema, place.schema
        );
        server.ask(&end).await;
    }
    writers.shutdown().await;
    append(&ledger, "end", [u64::MAX]).await;
    let kept = numbers(&ledger).await;
    let mut once = kept.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), kept.len(), "no event is there twice");
    let acknowledged = acknowledged.lock().await;
    let is_kept = |number: &u64| once.binary_search(number).is_ok();
    assert!(acknowledged.iter().all(is_kept), "no acknowledged event is lost");
    let seen = tokio::time::timeout(Duration::from_secs(30), follower).await.unwrap().unwrap();
    assert_eq!(seen, (1..kept.len() as u64).collect::<Vec<_>>());
    println!("{} appends survived 15 killed connections", acknowledged.len());
}
