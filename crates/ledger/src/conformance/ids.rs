//! Ids of events: an append that is tried again does nothing twice.

use super::{
    Place, cases,
    given::{all, append, conflict, event, events, id, number, numbers_in, stream, with_ids},
    place::open,
};
use crate::{
    append::{Append, AppendError, Appended, Expected},
    event::{Position, Version},
    ledger::Ledger,
    read::Standing,
    retention::Retention,
};
use std::collections::HashSet;

cases!(
    a_retry_gets_the_same_answer_and_does_nothing,
    a_retry_is_known_by_its_ids_after_the_ledger_was_opened_again,
    a_retry_is_known_by_its_ids_after_its_events_are_gone,
    part_of_an_append_is_no_retry,
    a_retry_with_another_expectation_is_refused,
    ids_are_of_one_stream,
    one_id_twice_in_an_append_is_refused_and_harms_nobody,
    a_retry_to_several_streams_is_whole_or_refused,
    retries_at_once_are_appended_once,
    events_without_ids_have_ids_that_stay,
    an_id_that_the_ledger_gave_is_known_as_well,
);

async fn put(ledger: &Ledger, expected: Expected, ids: &[u64]) -> Result<Appended, AppendError> {
    ledger.append(&stream("a"), expected, with_ids(ids.iter().copied())).await
}

async fn a_retry_gets_the_same_answer_and_does_nothing(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let first = put(&ledger, Expected::NoStream, &[1, 2]).await.expect("it is appended");
    append(&ledger, "b", [0]).await;
    put(&ledger, Expected::Any, &[3]).await.expect("it is appended");
    for expected in [Expected::NoStream, Expected::Any, Expected::Exists] {
        let again = put(&ledger, expected, &[1, 2]).await.expect("it is a retry");
        assert_eq!(again, first, "{expected:?}");
    }
    let again = put(&ledger, Expected::Exact(Version(0)), &[1, 2]).await.expect("it is a retry");
    assert_eq!(again, first);
    let third = put(&ledger, Expected::Exact(Version(2)), &[3]).await.expect("it is a retry");
    assert_eq!(third, Appended { position: Position(4), version: Version(3) });
    assert_eq!(all(&ledger).await.len(), 4);
}

async fn a_retry_is_known_by_its_ids_after_the_ledger_was_opened_again(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let first = put(&ledger, Expected::NoStream, &[1, 2]).await.expect("it is appended");
    drop(ledger);
    let ledger = open(&*place).await;
    assert_eq!(put(&ledger, Expected::NoStream, &[1, 2]).await.expect("it is a retry"), first);
    let seen = all(&ledger).await;
    assert_eq!([seen[0].id, seen[1].id], [id(1), id(2)]);
    assert_eq!(seen.len(), 2);
}

async fn a_retry_is_known_by_its_ids_after_its_events_are_gone(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let first = put(&ledger, Expected::NoStream, &[1, 2]).await.expect("it is appended");
    let third = put(&ledger, Expected::Any, &[3]).await.expect("it is appended");
    let retain = async |ledger: &Ledger, retention| {
        ledger.retain(&stream("a"), Expected::Any, retention).await.expect("it is retained");
    };
    retain(&ledger, Retention::Truncated(Version(2))).await;
    assert_eq!(put(&ledger, Expected::NoStream, &[1, 2]).await.expect("it is a retry"), first);
    assert_eq!(conflict(put(&ledger, Expected::Any, &[2, 4]).await), 3);
    retain(&ledger, Retention::Deleted).await;
    for ledger in [&ledger, &open(&*place).await] {
        assert_eq!(put(ledger, Expected::Any, &[1, 2]).await.expect("it is a retry"), first);
        assert_eq!(put(ledger, Expected::Any, &[2, 3]).await.expect("it is a retry"), third);
        let state = ledger.stream(&stream("a")).await.expect("a state is read");
        assert_eq!((state.version, state.standing), (Version(3), Standing::Deleted));
    }
    let anew = put(&ledger, Expected::NoStream, &[4]).await.expect("it is made anew");
    assert_eq!(anew.version, Version(4));
    assert_eq!(numbers_in(&ledger, "a").await, [4]);
}

async fn part_of_an_append_is_no_retry(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    put(&ledger, Expected::NoStream, &[1, 2, 3]).await.expect("it is appended");
    for ids in [vec![3, 4], vec![4, 1], vec![1, 3], vec![2, 1]] {
        assert_eq!(conflict(put(&ledger, Expected::Any, &ids).await), 3, "{ids:?}");
    }
    let mixed = vec![event(1).with_id(id(1)), event(9)];
    assert_eq!(conflict(ledger.append(&stream("a"), Expected::Any, mixed).await), 3);
    // A row of them is one: an earlier try may have been shorter.
    let part = put(&ledger, Expected::Any, &[2, 3]).await.expect("it is a retry");
    assert_eq!(part.version, Version(3));
    assert_eq!(numbers_in(&ledger, "a").await, [1, 2, 3]);
}

async fn a_retry_with_another_expectation_is_refused(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "a", [0]).await;
    put(&ledger, Expected::Exact(Version(1)), &[1]).await.expect("it is appended");
    for version in [0, 2, 7, u64::MAX] {
        let again = put(&ledger, Expected::Exact(Version(version)), &[1]).await;
        assert_eq!(conflict(again), 2, "{version}");
    }
    assert_eq!(numbers_in(&ledger, "a").await, [0, 1]);
}

async fn ids_are_of_one_stream(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    put(&ledger, Expected::NoStream, &[1]).await.expect("it is appended");
    let other = ledger.append(&stream("b"), Expected::NoStream, with_ids([1])).await;
    assert_eq!(other.expect("it is new there").position, Position(2));
}

async fn one_id_twice_in_an_append_is_refused_and_harms_nobody(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let good = {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            for number in 0..20 {
                append(&ledger, "b", [number]).await;
            }
        })
    };
    for _ in 0..20 {
        let refused = put(&ledger, Expected::Any, &[1, 2, 1]).await;
        assert!(matches!(refused, Err(AppendError::SameId(_))), "{refused:?}");
    }
    good.await.expect("others append");
    assert_eq!(all(&ledger).await.len(), 20);
}

async fn a_retry_to_several_streams_is_whole_or_refused(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let to = |name: &str, ids: &[u64]| Append {
        stream: stream(name),
        expected: Expected::NoStream,
        events: with_ids(ids.iter().copied()),
    };
    let guard = |version| Append {
        stream: stream("guard"),
        expected: Expected::Exact(Version(version)),
        events: Vec::new(),
    };
    let all_of_it = || vec![guard(0), to("a", &[1, 2]), to("b", &[3])];
    let first = ledger.append_all(all_of_it()).await.expect("it is appended");
    append(&ledger, "guard", [0]).await;
    let again = ledger.append_all(all_of_it()).await.expect("it is a retry");
    assert_eq!(again[1..], first[1..]);
    let mixed = ledger.append_all(vec![to("a", &[1, 2]), to("c", &[4])]).await;
    assert_eq!(conflict(mixed), 2);
    assert_eq!(all(&ledger).await.len(), 4);
}

async fn retries_at_once_are_appended_once(place: Box<dyn Place>) {
    let (one, two) = (open(&*place).await, open(&*place).await);
    for round in 0..10 {
        let tries = (0..8).map(|number| {
            let ledger = if number % 2 == 0 { one.clone() } else { two.clone() };
            tokio::spawn(async move {
                let events = with_ids([round * 2 + 1, round * 2 + 2]);
                ledger.append(&stream("a"), Expected::Any, events).await
            })
        });
        let mut answers = HashSet::new();
        for one_try in tries.collect::<Vec<_>>() {
            let answer = one_try.await.expect("no panic").expect("it is appended");
            answers.insert((answer.position.0, answer.version.0));
        }
        assert_eq!(answers, HashSet::from([(round * 2 + 2, round * 2 + 2)]));
    }
    assert_eq!(all(&one).await.len(), 20);
}

async fn events_without_ids_have_ids_that_stay(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "a", 0..10).await;
    ledger.append(&stream("a"), Expected::Any, events(10..20)).await.expect("it is appended");
    let ids: Vec<_> = all(&ledger).await.iter().map(|event| event.id).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 20);
    let again: Vec<_> = all(&open(&*place).await).await.iter().map(|event| event.id).collect();
    assert_eq!(again, ids);
}

async fn an_id_that_the_ledger_gave_is_known_as_well(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "b", [0]).await;
    let first = append(&ledger, "a", [1, 2]).await;
    let again: Vec<_> =
        all(&ledger).await[1..].iter().map(|of| event(number(of)).with_id(of.id)).collect();
    let retried = ledger.append(&stream("a"), Expected::Any, again.clone()).await;
    assert_eq!(retried.expect("it is a retry"), first);
    let other = ledger.append(&stream("b"), Expected::Any, again.clone()).await;
    assert_eq!(other.expect("it is new there").version, Version(3));
    let retried = ledger.append(&stream("b"), Expected::Any, again).await;
    assert_eq!(retried.expect("it is a retry").version, Version(3));
    assert_eq!(all(&ledger).await.len(), 5);
}
