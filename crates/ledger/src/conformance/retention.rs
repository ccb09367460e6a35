//! Truncation, deletion, tombstones.

use super::{
    Place, cases,
    given::{append, conflict, event, events, numbers_in, numbers_of, page, stream, with_ids},
    place::open,
};
use crate::{
    append::{Append, AppendError, Expected},
    data::Data,
    event::{Position, Version},
    ledger::Ledger,
    read::{From, ListStreams, Read, Scope, Standing, StreamState},
    retention::Retention,
};

cases!(
    what_is_truncated_is_gone_and_the_rest_stays,
    a_deleted_stream_is_made_anew_and_goes_on_counting,
    a_tombstone_closes_a_stream_for_ever,
    a_tombstone_can_come_before_the_first_event,
    a_tombstone_stays_whatever_is_said_after_it,
    what_is_about_streams_cannot_be_truncated,
    nothing_is_retained_otherwise_if_the_stream_is_not_as_expected,
    facts_about_streams_hold_when_they_are_appended,
    facts_hold_for_what_is_appended_with_them_in_any_order,
    what_facts_of_clients_truncate_is_swept,
);

async fn retain(ledger: &Ledger, name: &str, retention: Retention) {
    let done = ledger.retain(&stream(name), Expected::Any, retention).await;
    done.expect("it is retained");
}

async fn state(ledger: &Ledger, name: &str) -> StreamState {
    ledger.stream(&stream(name)).await.expect("a state is read")
}

/// Positions of all events that can be read.
async fn positions(ledger: &Ledger) -> Vec<u64> {
    let all = page(ledger, Scope::All(From::After(Position(0))), 10_000).await;
    all.iter().map(|event| event.position.0).collect()
}

async fn what_is_truncated_is_gone_and_the_rest_stays(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "a-1", 1..=5).await;
    append(&ledger, "a-2", [6]).await;
    retain(&ledger, "a-1", Retention::Truncated(Version(3))).await;
    assert_eq!(numbers_in(&ledger, "a-1").await, [4, 5]);
    let back = Scope::Stream(stream("a-1"), From::Before(Version::END));
    assert_eq!(numbers_of(&ledger, back, 9).await, [5, 4]);
    let category = Scope::Category("a".to_owned(), From::After(Position(0)));
    assert_eq!(numbers_of(&ledger, category, 9).await, [4, 5, 6]);
    assert_eq!(positions(&ledger).await, [4, 5, 6, 7]);
    let seen = state(&ledger, "a-1").await;
    assert_eq!((seen.version, seen.truncated), (Version(5), Version(3)));

    // Less does nothing, more than there is truncates all; and it goes on counting.
    retain(&ledger, "a-1", Retention::Truncated(Version(1))).await;
    assert_eq!(numbers_in(&ledger, "a-1").await, [4, 5]);
    retain(&ledger, "a-1", Retention::Truncated(Version(99))).await;
    assert!(numbers_in(&ledger, "a-1").await.is_empty());
    let next = ledger.append(&stream("a-1"), Expected::Exact(Version(5)), events([9])).await;
    assert_eq!(next.expect("it is live").version, Version(6));
    let again = open(&*place).await;
    assert_eq!(numbers_in(&again, "a-1").await, [9]);
    let old = Read::new(Scope::Stream(stream("a-1"), From::After(Version(0))), 9);
    assert!(again.read(old.as_of(Position(5))).await.expect("a page").is_empty());
}

async fn a_deleted_stream_is_made_anew_and_goes_on_counting(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "a", [1, 2]).await;
    retain(&ledger, "a", Retention::Deleted).await;
    let seen = state(&ledger, "a").await;
    assert_eq!((seen.standing, seen.version), (Standing::Deleted, Version(2)));
    assert!(!seen.exists());
    assert!(numbers_in(&ledger, "a").await.is_empty());
    assert_eq!(positions(&ledger).await, [3]);
    let refused = ledger.append(&stream("a"), Expected::Exists, events([3])).await;
    assert_eq!(conflict(refused), 2);

    let anew = ledger.append(&stream("a"), Expected::NoStream, events([3])).await;
    assert_eq!(anew.expect("it is made anew").version, Version(3));
    assert_eq!(numbers_in(&ledger, "a").await, [3]);
    let seen = state(&ledger, "a").await;
    assert_eq!((seen.standing, seen.truncated), (Standing::Live, Version(2)));
    retain(&ledger, "nobody", Retention::Deleted).await;
    assert_eq!(state(&ledger, "nobody").await, StreamState::none(stream("nobody")));
}

async fn a_tombstone_closes_a_stream_for_ever(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let first = ledger.append(&stream("a"), Expected::Any, with_ids([1])).await;
    first.expect("it is appended");
    retain(&ledger, "a", Retention::Tombstoned).await;
    assert!(numbers_in(&ledger, "a").await.is_empty());
    for ledger in [&ledger, &open(&*place).await] {
        for expected in [Expected::Any, Expected::NoStream, Expected::Exact(Version(1))] {
            let refused = ledger.append(&stream("a"), expected, with_ids([1])).await;
            assert!(matches!(refused, Err(AppendError::Tombstoned(_))), "{refused:?}");
        }
        let refused = ledger.retain(&stream("a"), Expected::Any, Retention::Deleted).await;
        assert!(matches!(refused, Err(AppendError::Tombstoned(_))), "{refused:?}");
        assert_eq!(state(ledger, "a").await.standing, Standing::Tombstoned);
    }
    assert_eq!(positions(&ledger).await, [2]);
}

async fn a_tombstone_can_come_before_the_first_event(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    retain(&ledger, "a", Retention::Tombstoned).await;
    let refused = ledger.append(&stream("a"), Expected::Any, vec![event(1)]).await;
    assert!(matches!(refused, Err(AppendError::Tombstoned(_))), "{refused:?}");
    let again = open(&*place).await;
    let refused = again.append(&stream("a"), Expected::Any, vec![event(1)]).await;
    assert!(matches!(refused, Err(AppendError::Tombstoned(_))), "{refused:?}");
}

async fn a_tombstone_stays_whatever_is_said_after_it(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "a", [1]).await;
    append(&ledger, "b", [1]).await;
    retain(&ledger, "a", Retention::Tombstoned).await;
    let later = || vec![Retention::Deleted.event(), Retention::Truncated(Version(1)).event()];
    let said = ledger.append(&stream("$$a"), Expected::Any, later()).await;
    said.expect("it is appended");
    let both = [vec![Retention::Tombstoned.event()], later()].concat();
    let said = ledger.append(&stream("$$b"), Expected::Any, both).await;
    said.expect("it is appended");
    for name in ["a", "b"] {
        assert_eq!(state(&ledger, name).await.standing, Standing::Tombstoned);
        let refused = ledger.append(&stream(name), Expected::NoStream, events([2])).await;
        assert!(matches!(refused, Err(AppendError::Tombstoned(_))), "{refused:?}");
    }
}

async fn what_is_about_streams_cannot_be_truncated(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "a", [1]).await;
    retain(&ledger, "a", Retention::Truncated(Version(1))).await;
    let refused = ledger.retain(&stream("$$a"), Expected::Any, Retention::Deleted).await;
    assert!(matches!(refused, Err(AppendError::OfMetadata(_))), "{refused:?}");
    assert_eq!(state(&ledger, "$$a").await.version, Version(1));
}

async fn nothing_is_retained_otherwise_if_the_stream_is_not_as_expected(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "a", [1, 2]).await;
    let expected = Expected::Exact(Version(1));
    assert_eq!(conflict(ledger.retain(&stream("a"), expected, Retention::Tombstoned).await), 2);
    assert_eq!(numbers_in(&ledger, "a").await, [1, 2]);
    let expected = Expected::Exact(Version(2));
    let done = ledger.retain(&stream("a"), expected, Retention::Deleted).await;
    assert_eq!(done.expect("it is deleted").position, Position(3));
}

async fn facts_about_streams_hold_when_they_are_appended(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "a", 1..=4).await;
    let snapshot = ("sum".parse().expect("a kind"), Data::empty_object());
    ledger.save_snapshot(&stream("a"), Version(4), snapshot).await.expect("it is saved");
    let about = Append {
        stream: stream("$$a"),
        expected: Expected::NoStream,
        events: vec![
            Retention::Truncated(Version(1)).event(),
            event(0),
            Retention::Truncated(Version(2)).event(),
        ],
    };
    let next = Append { stream: stream("a"), expected: Expected::Any, events: events([5]) };
    ledger.append_all(vec![next, about]).await.expect("it is appended");
    assert_eq!(numbers_in(&ledger, "a").await, [3, 4, 5]);
    let newest = ledger.snapshot(&stream("a"), Version::END).await.expect("read");
    assert_eq!(newest.map(|snapshot| snapshot.version), Some(Version(4)));
    let list = ListStreams { limit: 9, ..ListStreams::default() };
    let names = ledger.streams(list).await.expect("a list");
    let names: Vec<_> = names.iter().map(|state| state.name.as_str()).collect();
    assert_eq!(names, ["$$a", "a"]);
}

async fn facts_hold_for_what_is_appended_with_them_in_any_order(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "b", [1, 2]).await;
    let fact = |name: &str, retention: Retention| Append {
        stream: stream(name).metadata_stream().expect("no stream of metadata"),
        expected: Expected::Any,
        events: vec![retention.event()],
    };
    let facts = [
        fact("a", Retention::Tombstoned),
        fact("b", Retention::Tombstoned),
        fact("c", Retention::Deleted),
        fact("d", Retention::Truncated(Version(2))),
    ];
    let next = ["a", "b", "c", "d"].map(|name| Append {
        stream: stream(name),
        expected: Expected::Any,
        events: events(3..6),
    });
    ledger.append_all([facts, next].concat()).await.expect("it is appended");
    let seen = [state(&ledger, "a").await, state(&ledger, "b").await, state(&ledger, "c").await];
    let seen = seen.map(|state| (state.version.0, state.standing));
    assert_eq!(
        seen,
        [(3, Standing::Tombstoned), (5, Standing::Tombstoned), (3, Standing::Deleted)]
    );
    assert_eq!(numbers_in(&ledger, "d").await, [5]);
    for name in ["a", "b"] {
        let refused = ledger.append(&stream(name), Expected::Any, events([6])).await;
        assert!(matches!(refused, Err(AppendError::Tombstoned(_))), "{refused:?}");
    }
}

async fn what_facts_of_clients_truncate_is_swept(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "a", 1..=4).await;
    let fact = vec![Retention::Truncated(Version(3)).event()];
    ledger.append(&stream("$$a"), Expected::Any, fact).await.expect("it is appended");
    assert_eq!(positions(&ledger).await, [4, 5]);
    let fact = vec![Retention::Deleted.event()];
    let about = Append { stream: stream("$$a"), expected: Expected::Any, events: fact };
    ledger.append_all(vec![about]).await.expect("it is appended");
    assert_eq!(positions(&ledger).await, [5, 6]);
}
