//! Many who append at once.

use super::{
    Place, cases,
    given::{all, append, event, events, number, soon, stream},
    place::open,
};
use crate::{
    append::{Append, AppendError, Expected},
    event::{Position, Version},
    ledger::Ledger,
};
use std::collections::HashMap;
use tokio::task::JoinSet;

cases!(
    thirty_two_writers_with_conflicts_leave_no_gap,
    ledgers_that_are_open_twice_share_one_order,
    an_append_that_nobody_waits_for_is_whole_or_not_there,
);

const WRITERS: u64 = 32;
const EACH: u64 = 20;

async fn thirty_two_writers_with_conflicts_leave_no_gap(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let ledger = ledger.clone();
        writers.spawn(async move {
            for number in 0..EACH {
                append(&ledger, &format!("own-{writer}"), [writer * EACH + number]).await;
                count_up(&ledger, &format!("shared-{}", writer % 4)).await;
            }
        });
    }
    soon(writers.join_all()).await;
    let mut shared: HashMap<_, Vec<u64>> = HashMap::new();
    let mut own = Vec::new();
    for event in all(&ledger).await {
        match event.stream.category() {
            "own" => own.push(number(&event)),
            _ => shared.entry(event.stream.clone()).or_default().push(number(&event)),
        }
    }
    own.sort_unstable();
    assert_eq!(own, (0..WRITERS * EACH).collect::<Vec<_>>());
    assert_eq!(shared.len(), 4);
    for (name, numbers) in shared {
        assert_eq!(numbers, (0..WRITERS * EACH / 4).collect::<Vec<_>>(), "no update of `{name}`");
    }
}

async fn count_up(ledger: &Ledger, name: &str) {
    let name = stream(name);
    let mut known = Version(0);
    loop {
        match ledger.append(&name, Expected::Exact(known), events([known.0])).await {
            Ok(_) => return,
            Err(AppendError::Conflict { actual, .. }) => known = actual,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn ledgers_that_are_open_twice_share_one_order(place: Box<dyn Place>) {
    let ledgers = [open(&*place).await, open(&*place).await, open(&*place).await];
    let mut writers = JoinSet::new();
    for (index, ledger) in ledgers.iter().enumerate() {
        for writer in 0..4 {
            let (ledger, name) = (ledger.clone(), format!("own-{index}-{writer}"));
            writers.spawn(async move {
                let mut positions = Vec::new();
                for _ in 0..EACH {
                    positions.push(append(&ledger, &name, [0]).await.position);
                    count_up(&ledger, "shared").await;
                }
                assert!(positions.is_sorted(), "later appends have higher positions");
            });
        }
    }
    soon(writers.join_all()).await;
    let total = 3 * 4 * EACH;
    let seen = all(&ledgers[0]).await;
    assert_eq!(seen.len() as u64, 2 * total);
    assert_eq!(all(&ledgers[2]).await, seen);
    assert_eq!(ledgers[1].stream_version(&stream("shared")).await.expect("read"), Version(total));
}

async fn an_append_that_nobody_waits_for_is_whole_or_not_there(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    for number in 0..60 {
        let appends = ["a", "b"].map(|name| Append {
            stream: stream(name),
            expected: Expected::Any,
            events: vec![event(number); 3],
        });
        let append = ledger.append_all(appends.into());
        let short = std::time::Duration::from_micros(number * 40);
        drop(tokio::time::timeout(short, append).await);
    }
    let last = append(&ledger, "c", [0]).await;
    assert_eq!(all(&ledger).await.len() as u64, last.position.0);
    let version = async |name| ledger.stream_version(&stream(name)).await.expect("read").0;
    let (a, b) = (version("a").await, version("b").await);
    assert_eq!((a, a % 3), (b, 0));
    assert_eq!(Position(a + b + 1), last.position);
}
