//! Reading: forward and backward, categories, the ledger as it was, pages, the list of streams.

use super::{
    Place, cases,
    given::{append, event, number, numbers_of, page, stream},
    place::{open, open_at},
};
use crate::{
    append::{Append, Expected},
    event::{Position, Version},
    ledger::Ledger,
    read::{From, ListStreams, Read, Scope},
};
use fairway_model::Timestamp;
use std::time::Duration;

cases!(
    all_events_are_read_in_both_directions,
    a_stream_is_read_in_both_directions,
    a_category_is_read_across_its_streams,
    the_ledger_is_read_as_it_was_at_a_position,
    the_ledger_is_read_as_it_was_at_a_moment_though_clocks_jump,
    a_page_has_as_many_events_as_were_asked_for,
    streams_are_listed_by_name,
    what_is_not_there_is_empty,
);

/// Streams of two categories: `order-1`, `order-2` and `cart-1` in turn, numbered by position.
async fn filled(place: &dyn Place) -> Ledger {
    let ledger = open(place).await;
    for number in 1..=30 {
        let name = ["order-1", "order-2", "cart-1"][(number % 3) as usize];
        append(&ledger, name, [number]).await;
    }
    ledger
}

async fn all_events_are_read_in_both_directions(place: Box<dyn Place>) {
    let ledger = filled(&*place).await;
    let after = |position| Scope::All(From::After(Position(position)));
    let before = |position| Scope::All(From::Before(Position(position)));
    assert_eq!(numbers_of(&ledger, after(0), 3).await, [1, 2, 3]);
    assert_eq!(numbers_of(&ledger, after(28), 9).await, [29, 30]);
    assert!(numbers_of(&ledger, after(30), 9).await.is_empty());
    assert_eq!(numbers_of(&ledger, before(Position::END.0), 3).await, [30, 29, 28]);
    assert_eq!(numbers_of(&ledger, before(3), 9).await, [2, 1]);
    assert!(numbers_of(&ledger, before(1), 9).await.is_empty());
    for end in [Position::END.0, u64::MAX] {
        assert!(numbers_of(&ledger, after(end), 9).await.is_empty());
        assert_eq!(numbers_of(&ledger, before(end), 1).await, [30]);
    }
    let late = Read::new(after(29), 9).as_of(Position(u64::MAX));
    assert_eq!(ledger.read(late).await.expect("a page").len(), 1);
}

async fn a_stream_is_read_in_both_directions(place: Box<dyn Place>) {
    let ledger = filled(&*place).await;
    let after = |version| Scope::Stream(stream("order-2"), From::After(Version(version)));
    let before = |version| Scope::Stream(stream("order-2"), From::Before(Version(version)));
    assert_eq!(numbers_of(&ledger, after(0), 3).await, [1, 4, 7]);
    assert_eq!(numbers_of(&ledger, after(8), 9).await, [25, 28]);
    assert_eq!(numbers_of(&ledger, before(Version::END.0), 1).await, [28]);
    assert_eq!(numbers_of(&ledger, before(u64::MAX), 1).await, [28]);
    assert!(numbers_of(&ledger, after(u64::MAX), 9).await.is_empty());
    let snapshot = ledger.snapshot(&stream("order-2"), Version(u64::MAX)).await;
    assert_eq!(snapshot.expect("it is looked for"), None);
    assert_eq!(numbers_of(&ledger, before(3), 9).await, [4, 1]);
    let last = page(&ledger, before(Version::END.0), 1).await;
    assert_eq!((last[0].version, last[0].position), (Version(10), Position(28)));
}

async fn a_category_is_read_across_its_streams(place: Box<dyn Place>) {
    let ledger = filled(&*place).await;
    append(&ledger, "order", [31]).await;
    append(&ledger, "orders-1", [32]).await;
    let scope = |from| Scope::Category("order".to_owned(), from);
    let orders: Vec<u64> = (1..=30).filter(|n| n % 3 != 2).chain([31]).collect();
    let all = numbers_of(&ledger, scope(From::After(Position(0))), 100).await;
    assert_eq!(all, orders);
    let back = numbers_of(&ledger, scope(From::Before(Position::END)), 4).await;
    assert_eq!(back, [31, 30, 28, 27]);
    assert_eq!(numbers_of(&ledger, scope(From::After(Position(28))), 4).await, [30, 31]);
    assert_eq!(numbers_of(&ledger, scope(From::Before(Position(4))), 4).await, [3, 1]);
}

async fn the_ledger_is_read_as_it_was_at_a_position(place: Box<dyn Place>) {
    let ledger = filled(&*place).await;
    let scopes = [
        (Scope::All(From::Before(Position::END)), vec![10, 9]),
        (Scope::All(From::After(Position(8))), vec![9, 10]),
        (Scope::Category("cart".to_owned(), From::Before(Position::END)), vec![8, 5]),
        (Scope::Category("cart".to_owned(), From::After(Position(5))), vec![8]),
        (Scope::Stream(stream("order-1"), From::Before(Version::END)), vec![9, 6]),
        (Scope::Stream(stream("order-1"), From::After(Version(2))), vec![9]),
    ];
    for (scope, seen) in scopes {
        let read = Read::new(scope.clone(), 2).as_of(Position(10));
        let page = ledger.read(read).await.expect("a page");
        assert_eq!(page.iter().map(number).collect::<Vec<_>>(), seen, "{scope:?}");
    }
}

async fn the_ledger_is_read_as_it_was_at_a_moment_though_clocks_jump(place: Box<dyn Place>) {
    let (ledger, clock) = open_at(&*place, 1_000).await;
    append(&ledger, "a", [1, 2]).await;
    clock.advance(Duration::from_millis(500));
    append(&ledger, "a", [3]).await;
    drop(ledger);
    // The clock goes back by a second and stands; what is recorded does not.
    let (ledger, clock) = open_at(&*place, 500).await;
    append(&ledger, "a", [4]).await;
    clock.advance(Duration::from_hours(1));
    append(&ledger, "a", [5]).await;
    let recorded: Vec<u64> =
        super::given::all(&ledger).await.iter().map(|event| event.recorded.0).collect();
    assert_eq!(recorded, [1_000, 1_000, 1_500, 1_500, 3_600_500]);
    let table = [(0, 0), (999, 0), (1_000, 2), (1_499, 2), (1_500, 4), (9_000, 4), (u64::MAX, 5)];
    for (moment, position) in table {
        let found = ledger.position_at(Timestamp(moment)).await.expect("a position");
        assert_eq!(found, Position(position), "at {moment}");
    }
}

async fn a_page_has_as_many_events_as_were_asked_for(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    for _ in 0..3 {
        append(&ledger, "a", 0..5_000).await;
    }
    let scope = || Scope::All(From::After(Position(0)));
    assert!(page(&ledger, scope(), 0).await.is_empty());
    assert_eq!(page(&ledger, scope(), 7).await.len(), 7);
    assert_eq!(page(&ledger, scope(), usize::MAX).await.len(), 10_000);
}

async fn streams_are_listed_by_name(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let names = ["b-2", "a", "b-10", "b", "b.x", "B-1", "b/y", "c", "b-1"];
    for name in names {
        append(&ledger, name, [1, 2]).await;
    }
    let list = async |prefix: &str, after: &str, limit| {
        let list = ListStreams { prefix: prefix.to_owned(), after: after.to_owned(), limit };
        let found = ledger.streams(list).await.expect("a list");
        assert!(found.iter().all(|state| state.version == Version(2)));
        found.iter().map(|state| state.name.as_str().to_owned()).collect::<Vec<_>>()
    };
    let all = ["B-1", "a", "b", "b-1", "b-10", "b-2", "b.x", "b/y", "c"];
    assert_eq!(list("", "", 100).await, all);
    assert_eq!(list("b-", "", 100).await, ["b-1", "b-10", "b-2"]);
    assert_eq!(list("b", "b-10", 2).await, ["b-2", "b.x"]);
    assert!(list("d", "", 9).await.is_empty());
    assert!(list("", "", 0).await.is_empty());
}

async fn what_is_not_there_is_empty(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    assert_eq!(ledger.head().await.expect("read"), Position(0));
    assert_eq!(ledger.position_at(Timestamp(9)).await.expect("read"), Position(0));
    assert!(page(&ledger, Scope::All(From::Before(Position::END)), 9).await.is_empty());
    append(&ledger, "a", [1]).await;
    for name in ["b", "$$a"] {
        let state = ledger.stream(&stream(name)).await.expect("read");
        assert_eq!((state.version, state.exists()), (Version(0), false));
        let scope = Scope::Stream(stream(name), From::After(Version(0)));
        assert!(page(&ledger, scope, 9).await.is_empty());
    }
    for category in ["b", "", "a-1", "\0"] {
        let scope = Scope::Category(category.to_owned(), From::After(Position(0)));
        assert!(page(&ledger, scope, 9).await.is_empty(), "{category:?}");
    }
    let nothing = Append { stream: stream("b"), expected: Expected::Any, events: Vec::new() };
    ledger.append_all(vec![nothing]).await.expect("nothing is refused");
    let exists = ledger.append(&stream("b"), Expected::Exists, vec![event(1)]).await;
    assert!(exists.is_err(), "an append of nothing makes no stream");
}
