use crate::place::{Place, ack_all, append, id, name, next, number, quick, soon, until, until_at};
use fairway_events::{Delivery, Ended, GroupError, Lag, Nack, Take, Token};
use fairway_ledger::{Expected, NewEvent, Position};
use std::time::Duration;

#[tokio::test]
async fn a_consumer_gets_all_events_and_acknowledges_them() {
    let place = Place::new();
    let groups = place.open();
    let id = id("$ce-order");
    groups.create(&id, quick()).await.unwrap();
    append(groups.ledger(), "order-1", 1..=40).await;
    append(groups.ledger(), "other", [99]).await;
    append(groups.ledger(), "order-2", 41..=50).await;
    let mut consumer = groups.connect(&id, &name("a"), 10).await.unwrap();
    let mut numbers = ack_all(&mut consumer, 50).await;
    append(groups.ledger(), "order-3", [51]).await;
    numbers.extend(ack_all(&mut consumer, 1).await);
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=51).collect::<Vec<_>>());
    let info = until(&groups, &id, |info| info.unfinished == 0).await;
    assert_eq!((info.lag, info.oldest), (Lag::Exactly(0), None));
    let live = info.live.unwrap();
    assert_eq!((live.counters.delivered, live.counters.acked), (51, 51));
}

#[tokio::test]
async fn an_event_that_fails_comes_again_and_is_then_parked_and_replayed() {
    let place = Place::new();
    let groups = place.open();
    let id = id("order-1");
    let mut settings = quick();
    settings.retries_max = 2;
    groups.create(&id, settings).await.unwrap();
    append(groups.ledger(), "order-1", [1, 2]).await;
    let mut consumer = groups.connect(&id, &name("a"), 10).await.unwrap();
    for attempt in 1..=3 {
        let delivery = next(&mut consumer).await;
        assert_eq!((number(&delivery), delivery.attempt), (1, attempt));
        consumer.nack([delivery.token()], Nack::Retry, "no paper").await.unwrap();
    }
    assert_eq!(ack_all(&mut consumer, 1).await, [2]);
    let parked = groups.parked(&id, Position(0), 10).await.unwrap();
    let found: Vec<_> =
        parked.iter().map(|p| (p.version.0, p.attempts, p.reason.as_str())).collect();
    assert_eq!(found, [(1, 3, "no paper")]);
    until_at(&groups, &id, parked[0].position.0).await;
    assert_eq!(groups.replay_parked(&id, 10).await.unwrap(), 1);
    assert_eq!(ack_all(&mut consumer, 1).await, [1]);
    let info = until(&groups, &id, |info| info.unfinished == 0).await;
    assert_eq!((info.parked, info.checkpoint.version.0), (0, 2));
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_after_a_restart_and_nothing_else() {
    let place = Place::new();
    let groups = place.open();
    let id = id("$all");
    groups.create(&id, quick()).await.unwrap();
    for stream in 1..=6 {
        append(groups.ledger(), &format!("order-{stream}"), [stream]).await;
    }
    let mut consumer = groups.connect(&id, &name("a"), 10).await.unwrap();
    for _ in 0..6 {
        let delivery = next(&mut consumer).await;
        if number(&delivery).is_multiple_of(2) {
            consumer.ack([delivery.event.id]).await.unwrap();
        }
    }
    soon(groups.close()).await;
    assert!(matches!(soon(consumer.next()).await, Err(GroupError::Ended { .. })));
    drop((consumer, groups));
    let groups = place.open();
    let mut consumer = groups.connect(&id, &name("a"), 10).await.unwrap();
    assert_eq!(ack_all(&mut consumer, 3).await, [1, 3, 5]);
    append(groups.ledger(), "order-7", [7]).await;
    assert_eq!(ack_all(&mut consumer, 1).await, [7]);
}

#[tokio::test]
async fn what_is_said_before_a_group_is_closed_counts() {
    let place = Place::new();
    let groups = place.open();
    let id = id("$all");
    groups.create(&id, quick()).await.unwrap();
    for stream in 1..=3 {
        append(groups.ledger(), &format!("order-{stream}"), [stream]).await;
    }
    let mut consumer = groups.connect(&id, &name("a"), 10).await.unwrap();
    for _ in 0..2 {
        let delivery = next(&mut consumer).await;
        consumer.nack([delivery.token()], Nack::Park, "no").await.unwrap();
    }
    let last = next(&mut consumer).await;
    consumer.ack([last.token()]).await.unwrap();
    soon(groups.close()).await;
    let groups = place.open();
    let info = groups.info(&id).await.unwrap();
    assert_eq!((info.parked, info.live), (2, None));
    let mut consumer = groups.connect(&id, &name("a"), 10).await.unwrap();
    append(groups.ledger(), "order-4", [4]).await;
    assert_eq!(ack_all(&mut consumer, 1).await, [4]);
}

#[tokio::test]
async fn who_takes_has_what_it_took_until_it_answers() {
    let place = Place::new();
    let groups = place.open();
    let id = id("$all");
    groups.create(&id, quick()).await.unwrap();
    let take = |most, wait| Take { consumer: name("a"), most, wait };
    let none = groups.take(&id, take(5, Duration::ZERO)).await.unwrap();
    assert!(none.is_empty());
    let waiting = tokio::spawn({
        let (groups, id) = (groups.clone(), id.clone());
        async move { groups.take(&id, take(2, Duration::from_secs(20))).await.unwrap() }
    });
    for stream in 1..=3 {
        append(groups.ledger(), &format!("order-{stream}"), [stream]).await;
    }
    let first = soon(waiting).await.unwrap();
    assert!(!first.is_empty() && number(&first[0]) == 1);
    let unknown = Token::Position(Position(77));
    let tokens = first.iter().map(Delivery::token).chain([unknown]).collect();
    assert_eq!(groups.ack(&id, &name("a"), tokens).await.unwrap(), [unknown]);
    let more = groups.take(&id, take(5, Duration::from_secs(20))).await.unwrap();
    assert!(more.len() + first.len() <= 3 && number(&more[0]) == first.len() as u64 + 1);
}

#[tokio::test]
async fn what_a_consumer_had_that_goes_is_given_to_others_at_once() {
    let place = Place::new();
    let groups = place.open();
    let id = id("$all");
    groups.create(&id, quick()).await.unwrap();
    for stream in 1..=4 {
        append(groups.ledger(), &format!("order-{stream}"), [stream]).await;
    }
    let mut first = groups.connect(&id, &name("first"), 10).await.unwrap();
    for _ in 0..4 {
        next(&mut first).await;
    }
    let mut second = groups.connect(&id, &name("second"), 10).await.unwrap();
    first.ack([Position(2)]).await.unwrap();
    drop(first);
    // What it acknowledged before it went is done, though it was not waited for.
    let left = [next(&mut second).await, next(&mut second).await, next(&mut second).await];
    let had = |delivery: &Delivery| (number(delivery), delivery.retries());
    let (numbers, tries): (Vec<_>, Vec<_>) = left.iter().map(had).unzip();
    assert_eq!((numbers.len(), tries), (3, vec![1, 1, 1]));
}

#[tokio::test]
async fn an_event_that_is_not_acknowledged_in_time_comes_again() {
    let place = Place::new();
    let groups = place.open();
    let id = id("order-1");
    let mut settings = quick();
    settings.ack_timeout = Duration::from_millis(300);
    settings.retries_max = 1;
    groups.create(&id, settings).await.unwrap();
    append(groups.ledger(), "order-1", [1]).await;
    let mut consumer = groups.connect(&id, &name("a"), 1).await.unwrap();
    assert_eq!(next(&mut consumer).await.attempt, 1);
    assert_eq!(next(&mut consumer).await.attempt, 2);
    let info = until(&groups, &id, |info| info.parked == 1).await;
    assert_eq!(info.live.unwrap().counters.timed_out, 2);
    let parked = groups.parked(&id, Position(0), 1).await.unwrap();
    assert_eq!(parked[0].reason, "it was not acknowledged in time");
}

#[tokio::test]
async fn a_consumer_that_stops_is_disconnected() {
    let place = Place::new();
    let groups = place.open();
    let id = id("order-1");
    let mut settings = quick();
    settings.backoff.initial = Duration::ZERO;
    groups.create(&id, settings).await.unwrap();
    append(groups.ledger(), "order-1", [1]).await;
    let mut consumer = groups.connect(&id, &name("a"), 1).await.unwrap();
    let delivery = next(&mut consumer).await;
    consumer.nack([delivery.token()], Nack::Stop, "enough").await.unwrap();
    let ended = soon(consumer.next()).await.unwrap_err();
    assert!(matches!(ended, GroupError::Ended { why: Ended::Stopped, .. }), "{ended}");
    let mut other = groups.connect(&id, &name("b"), 1).await.unwrap();
    assert_eq!(next(&mut other).await.attempt, 2);
}

#[tokio::test]
async fn a_consumer_that_does_not_read_holds_up_nobody() {
    let place = Place::new();
    let groups = place.open();
    let id = id("$all");
    let mut settings = quick();
    settings.ack_timeout = Duration::from_millis(100);
    settings.retries_max = 1_000;
    groups.create(&id, settings).await.unwrap();
    let stuck = groups.connect(&id, &name("stuck"), 2).await.unwrap();
    let mut good = groups.connect(&id, &name("good"), 10).await.unwrap();
    let seeing = tokio::spawn(async move {
        let mut seen = std::collections::BTreeSet::new();
        while seen.len() < 60 {
            seen.extend(ack_all(&mut good, 1).await);
        }
        good
    });
    for stream in 1..=60 {
        append(groups.ledger(), &format!("order-{stream}"), [stream]).await;
    }
    let good = soon(seeing).await.unwrap();
    until(&groups, &id, |info| info.unfinished == 0).await;
    drop((stuck, good));
}

#[tokio::test]
async fn large_events_are_held_up_to_so_many_bytes() {
    let place = Place::new();
    let groups = place.open();
    let id = id("$ce-large");
    groups.create(&id, quick()).await.unwrap();
    let text = "x".repeat(1 << 19);
    for stream in 0..100 {
        let event = NewEvent::new("large", &text).unwrap();
        let stream = format!("large-{stream}").parse().unwrap();
        groups.ledger().append(&stream, Expected::Any, vec![event]).await.unwrap();
    }
    let mut consumer = groups.connect(&id, &name("a"), 1).await.unwrap();
    let mut most = 0;
    for _ in 0..100 {
        let delivery = next(&mut consumer).await;
        consumer.ack([delivery.token()]).await.unwrap();
        most = most.max(groups.info(&id).await.unwrap().unfinished);
    }
    // Of half a mebibyte each.
    assert!((10..=97).contains(&most), "{most} events were held at once");
}
