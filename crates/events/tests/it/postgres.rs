//! Groups of a ledger in PostgreSQL, where no lock says who drives them.

use crate::{
    place::{ack_all, append, id, name, next, quick, soon, until},
    server::Server,
};
use fairway_events::{Ended, GroupError, Groups, Nack};
use fairway_ledger::Clock;
use std::collections::BTreeSet;

async fn open(url: &str) -> Groups {
    Groups::open(fairway_ledger_postgres::open(url, Clock::system()).await.unwrap())
}

#[tokio::test]
async fn who_connects_last_has_the_group_and_goes_on_where_the_other_was() {
    let url = Server::shared().url("taking_over");
    let (first, second) = (open(&url).await, open(&url).await);
    let id = id("$ce-order");
    first.create(&id, quick()).await.unwrap();
    append(first.ledger(), "order-1", 1..=3).await;
    append(first.ledger(), "order-2", 4..=5).await;
    let mut consumer = first.connect(&id, &name("a"), 1).await.unwrap();
    assert_eq!(ack_all(&mut consumer, 1).await, [1]);
    let parked = next(&mut consumer).await;
    consumer.nack([parked.token()], Nack::Park, "no").await.unwrap();
    until(&first, &id, |info| info.parked == 1 && info.unfinished < 4).await;
    let mut other = second.connect(&id, &name("b"), 1).await.unwrap();
    let ended = async {
        loop {
            // It may still be given some before it hears of it.
            if let Err(ended) = consumer.next().await {
                return ended;
            }
        }
    };
    let ended = soon(ended).await;
    assert!(matches!(ended, GroupError::Ended { why: Ended::TakenOver, .. }), "{ended}");
    let mut numbers = Vec::new();
    while !(numbers.contains(&3) && numbers.contains(&5)) {
        numbers.extend(ack_all(&mut other, 1).await);
    }
    assert_eq!(second.replay_parked(&id, 9).await.unwrap(), 1);
    assert_eq!(ack_all(&mut other, 1).await, [crate::place::number(&parked)]);
    append(second.ledger(), "order-1", [6]).await;
    assert_eq!(ack_all(&mut other, 1).await, [6]);
    let info = until(&second, &id, |info| info.lag.events() == 0).await;
    assert_eq!((info.parked, info.unfinished), (0, 0));
    soon(second.close()).await;
    soon(first.close()).await;
}

#[tokio::test]
async fn a_server_that_crashes_costs_consumers_a_connection_and_no_event() {
    let server = Server::start_apart().await;
    let groups = open(&server.url("crashing")).await;
    let id = id("$all");
    groups.create(&id, quick()).await.unwrap();
    append(groups.ledger(), "order-1", 1..=60).await;
    let mut consumer = groups.connect(&id, &name("a"), 1).await.unwrap();
    let mut seen: BTreeSet<u64> = ack_all(&mut consumer, 20).await.into_iter().collect();
    server.restart("immediate");
    let seeing = async {
        while seen.len() < 60 {
            match consumer.next().await {
                Ok(delivery) => {
                    seen.insert(crate::place::number(&delivery));
                    // If it was disconnected it finds out when it takes the next event.
                    drop(consumer.ack([delivery.token()]).await);
                }
                Err(_) => {
                    if let Ok(again) = groups.connect(&id, &name("a"), 1).await {
                        consumer = again;
                    }
                }
            }
        }
    };
    soon(seeing).await;
    assert_eq!(seen, (1..=60).collect());
    soon(groups.close()).await;
}
