//! Removing what is truncated: whoever waits for it or not, whatever goes wrong with it, and
//! whatever else is appended.

use super::{
    Place, cases,
    given::{append, events, numbers_in, numbers_of, soon, stream},
    place::open,
};
use crate::{
    append::Expected,
    event::{Position, Version},
    ledger::Ledger,
    read::{From, Scope, Standing},
    retention::Retention,
};
use tokio::task::JoinSet;

cases!(
    thousands_of_events_are_swept_before_who_truncates_is_answered,
    what_nobody_waits_for_is_swept,
    an_append_whose_sweep_fails_is_appended_and_swept_later,
    what_a_killed_process_left_is_swept_by_the_next,
    what_a_killed_process_left_is_swept_under_steady_appends,
    many_small_streams_are_swept,
);

/// More than a few pieces of a sweep.
const MANY: u64 = 20_000;

async fn fill(ledger: &Ledger, name: &str, count: u64) {
    let mut next = 0..count;
    loop {
        let some: Vec<u64> = next.by_ref().take(5_000).collect();
        if some.is_empty() {
            return;
        }
        append(ledger, name, some).await;
    }
}

async fn delete(ledger: &Ledger, name: &str) {
    let done = ledger.retain(&stream(name), Expected::Any, Retention::Deleted).await;
    done.expect("it is deleted");
}

/// The numbers of a category as readers of it see them.
async fn category(ledger: &Ledger, name: &str) -> Vec<u64> {
    let scope = Scope::Category(name.to_owned(), From::After(Position(0)));
    numbers_of(ledger, scope, 10_000).await
}

/// Waits until readers of a category see no event.
async fn swept(ledger: &Ledger, name: &str) {
    let scope = || Scope::Category(name.to_owned(), From::Before(Position::END));
    let swept = async {
        while !numbers_of(ledger, scope(), 1).await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    soon(swept).await;
}

async fn thousands_of_events_are_swept_before_who_truncates_is_answered(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    for name in ["a-1", "a-2"] {
        append(&ledger, name, 0..4_500).await;
    }
    let gone = Retention::Truncated(Version(4_400));
    ledger.retain(&stream("a-1"), Expected::Any, gone).await.expect("it is truncated");
    assert_eq!(category(&ledger, "a").await, (4_400..4_500).chain(0..4_500).collect::<Vec<_>>());
    let retry = ledger.append(&stream("a-1"), Expected::Exact(Version(4_500)), events([0])).await;
    assert_eq!(retry.expect("it goes on").version, Version(4_501));
}

async fn what_nobody_waits_for_is_swept(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    fill(&ledger, "a-1", MANY).await;
    let deleting = {
        let ledger = ledger.clone();
        tokio::spawn(async move { delete(&ledger, "a-1").await })
    };
    let deleted = async {
        let name = stream("a-1");
        while ledger.stream(&name).await.expect("a state").standing != Standing::Deleted {
            tokio::task::yield_now().await;
        }
    };
    soon(deleted).await;
    deleting.abort();
    swept(&ledger, "a").await;
}

async fn an_append_whose_sweep_fails_is_appended_and_swept_later(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "a-1", 0..10).await;
    place.forbid_removals().await;
    soon(delete(&ledger, "a-1")).await;
    assert!(numbers_in(&ledger, "a-1").await.is_empty(), "it is deleted");
    assert_eq!(category(&ledger, "a").await.len(), 10, "but not swept");
    append(&ledger, "b-1", [1]).await;
    place.allow_removals().await;
    swept(&ledger, "a").await;
    assert_eq!(category(&ledger, "b").await, [1]);
}

/// Leaves deleted events in the ledger, as a process does that is killed in the middle of a sweep.
async fn leave_unswept(place: &dyn Place, name: &str, count: u64) {
    let ledger = open(place).await;
    fill(&ledger, name, count).await;
    place.forbid_removals().await;
    delete(&ledger, name).await;
    drop(ledger);
    place.allow_removals().await;
}

async fn what_a_killed_process_left_is_swept_by_the_next(place: Box<dyn Place>) {
    leave_unswept(&*place, "a-1", 4_500).await;
    swept(&open(&*place).await, "a").await;
}

async fn what_a_killed_process_left_is_swept_under_steady_appends(place: Box<dyn Place>) {
    leave_unswept(&*place, "a-1", MANY).await;
    let ledger = open(&*place).await;
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let ledger = ledger.clone();
        writers.spawn(async move {
            for number in 0.. {
                append(&ledger, &format!("b-{writer}"), [number]).await;
            }
        });
    }
    swept(&ledger, "a").await;
    writers.shutdown().await;
}

async fn many_small_streams_are_swept(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let names = || (0..120).map(|number| format!("a-{number}"));
    for name in names() {
        append(&ledger, &name, [1, 2, 3]).await;
    }
    place.forbid_removals().await;
    for name in names() {
        delete(&ledger, &name).await;
    }
    place.allow_removals().await;
    append(&ledger, "a-0", [7]).await;
    delete(&ledger, "a-0").await;
    assert!(category(&ledger, "a").await.is_empty());
}
