use crate::place::{Place, append};
use fairway_ledger::{Ledger, Position, Subscription};
use std::time::{Duration, Instant};

async fn next(subscription: &mut Subscription) -> u64 {
    let next = tokio::time::timeout(Duration::from_secs(20), subscription.next());
    next.await.expect("an event comes").unwrap().decode().unwrap()
}

#[tokio::test]
async fn a_subscription_catches_up_and_then_follows() {
    let place = Place::new();
    let ledger = place.open();
    append(&ledger, "a", 1..=1200).await;
    let mut all = ledger.subscribe(Position(0)).unwrap();
    let mut late = ledger.subscribe(Position(1199)).unwrap();
    for number in 1..=1200 {
        assert_eq!(next(&mut all).await, number);
    }
    assert_eq!(next(&mut late).await, 1200);
    assert!(all.try_next().await.unwrap().is_none());
    append(&ledger, "b", [1201, 1202]).await;
    assert_eq!((next(&mut all).await, next(&mut all).await), (1201, 1202));
    assert_eq!(next(&mut late).await, 1201);
    assert_eq!(late.position(), Position(1201));
}

#[tokio::test]
async fn a_subscription_sees_what_others_append() {
    let place = Place::new();
    let (mine, other) = (place.open(), place.open());
    let mut subscription = mine.subscribe(Position(0)).unwrap();
    let mut slowest = Duration::ZERO;
    for number in 1..=50 {
        let reader = tokio::spawn(async move {
            let seen = next(&mut subscription).await;
            (subscription, seen, Instant::now())
        });
        append(&other, "a", [number]).await;
        let start = Instant::now();
        let (back, seen, at) = reader.await.unwrap();
        subscription = back;
        assert_eq!(seen, number);
        slowest = slowest.max(at.saturating_duration_since(start));
    }
    println!("another's event was seen after at most {slowest:?}");
}

#[tokio::test]
async fn a_dropped_call_loses_no_event() {
    let place = Place::new();
    let ledger = place.open();
    let mut subscription = ledger.subscribe(Position(0)).unwrap();
    let writer = write_slowly(&ledger);
    let mut seen = Vec::new();
    while seen.len() < 200 {
        let short = Duration::from_micros(50 * (seen.len() as u64 % 7));
        if let Ok(event) = tokio::time::timeout(short, subscription.next()).await {
            seen.push(event.unwrap().position.0);
        }
    }
    assert_eq!(seen, (1..=200).collect::<Vec<_>>());
    writer.await.unwrap();
}

fn write_slowly(ledger: &Ledger) -> tokio::task::JoinHandle<()> {
    let ledger = ledger.clone();
    tokio::spawn(async move {
        for number in 1..=200 {
            append(&ledger, "a", [number]).await;
        }
    })
}
