//! Following the ledger.

use super::{
    Place, cases,
    given::{append, number, soon},
    place::open,
};
use crate::{
    event::Position,
    filter::{Filter, System},
    ledger::Ledger,
    subscription::Subscription,
};
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};

cases!(
    a_subscription_catches_up_and_then_follows_without_a_gap,
    a_subscription_hands_on_what_passes_its_filter,
    a_subscription_is_woken_by_what_another_appends,
    a_dropped_call_loses_no_event,
    a_subscription_goes_on_where_it_stood,
    many_subscriptions_see_the_same_order,
);

async fn next(subscription: &mut Subscription) -> u64 {
    number(&soon(subscription.next()).await.expect("an event comes"))
}

/// Appends numbers one by one.
fn write(ledger: &Ledger, numbers: std::ops::Range<u64>) -> JoinHandle<()> {
    let ledger = ledger.clone();
    tokio::spawn(async move {
        for number in numbers {
            append(&ledger, &format!("a-{}", number % 3), [number]).await;
        }
    })
}

async fn a_subscription_catches_up_and_then_follows_without_a_gap(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "old", 0..2_500).await;
    let mut subscription = ledger.subscribe(Position(0)).expect("a subscription");
    let writer = write(&ledger, 2_500..2_700);
    for number in 0..2_700 {
        assert_eq!(next(&mut subscription).await, number);
        assert_eq!(subscription.position(), Position(number + 1));
    }
    writer.await.expect("all is written");
    assert!(subscription.try_next().await.expect("it looks").is_none());
}

async fn a_subscription_hands_on_what_passes_its_filter(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let category = Filter::category("order");
    let streams = Filter { streams: vec!["order-1".to_owned()], ..Filter::default() };
    let kinds = Filter { kinds: vec!["other".to_owned()], ..Filter::default() };
    let plain = Filter { system: System::Left, ..Filter::default() };
    let filters =
        [(category, [1, 3, 4]), (streams, [1, 4, 9]), (kinds, [9, 9, 9]), (plain, [1, 2, 3])];
    for name in ["order-1", "cart-1", "order-2", "order-10", "$own-1"] {
        let head = ledger.head().await.expect("the head");
        append(&ledger, name, [head.0 + 1]).await;
    }
    for (filter, seen) in filters {
        let subscription = ledger.subscribe_to(filter.clone(), Position(0));
        let mut subscription = subscription.expect("a subscription");
        for number in seen.into_iter().filter(|&number| number < 9) {
            assert_eq!(next(&mut subscription).await, number, "{filter:?}");
        }
        if seen.contains(&9) {
            assert!(subscription.try_next().await.expect("it looks").is_none(), "{filter:?}");
            assert_eq!(subscription.position(), Position(5), "what did not pass is behind it");
        }
    }
}

async fn a_subscription_is_woken_by_what_another_appends(place: Box<dyn Place>) {
    let (mine, other) = (open(&*place).await, open(&*place).await);
    let mut subscription = mine.subscribe(Position(0)).expect("a subscription");
    for number in 1..=30 {
        let reader = tokio::spawn(async move {
            let seen = next(&mut subscription).await;
            (subscription, seen)
        });
        append(&other, "a", [number]).await;
        let (back, seen) = soon(reader).await.expect("no panic");
        subscription = back;
        assert_eq!(seen, number);
    }
}

async fn a_dropped_call_loses_no_event(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let mut subscription = ledger.subscribe(Position(0)).expect("a subscription");
    let writer = write(&ledger, 0..200);
    let mut seen = Vec::new();
    soon(async {
        for tries in 0.. {
            let short = Duration::from_micros(100 * (tries % 80));
            if let Ok(event) = tokio::time::timeout(short, subscription.next()).await {
                seen.push(number(&event.expect("an event")));
            }
            if seen.len() == 200 {
                return;
            }
        }
    })
    .await;
    assert_eq!(seen, (0..200).collect::<Vec<_>>());
    writer.await.expect("all is written");
}

async fn a_subscription_goes_on_where_it_stood(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "a", 0..300).await;
    let (mut after, mut seen) = (Position(0), Vec::new());
    for round in 0..10 {
        let mut subscription = ledger.subscribe(after).expect("a subscription");
        for _ in 0..=round * 4 {
            seen.push(next(&mut subscription).await);
        }
        after = subscription.position();
    }
    let count = seen.len() as u64;
    assert_eq!((seen, after), ((0..count).collect(), Position(count)));
}

async fn many_subscriptions_see_the_same_order(place: Box<dyn Place>) {
    let ledgers = [open(&*place).await, open(&*place).await];
    let mut readers = JoinSet::new();
    for reader in 0..8 {
        let mut subscription = ledgers[reader % 2].subscribe(Position(0)).expect("a subscription");
        readers.spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < 160 {
                let page = subscription.next_page().await.expect("a page");
                seen.extend(page.into_iter().map(|event| (event.position, event.id)));
            }
            seen
        });
    }
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let ledger = ledgers[writer % 2].clone();
        writers.spawn(async move {
            for number in 0..40 {
                append(&ledger, &format!("w-{writer}"), [number]).await;
            }
        });
    }
    soon(writers.join_all()).await;
    let seen = soon(readers.join_all()).await;
    assert!(seen.iter().all(|one| *one == seen[0]));
    let positions: Vec<u64> = seen[0].iter().map(|(position, _)| position.0).collect();
    assert_eq!(positions, (1..=160).collect::<Vec<_>>());
}
