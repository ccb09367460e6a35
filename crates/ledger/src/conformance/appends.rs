//! Appending: what is expected of a stream, several streams at once, limits, kinds of data.

use super::{
    Place, cases,
    given::{all, append, conflict, events, number, numbers_in, stream},
    place::{open, open_at},
};
use crate::{
    append::{Append, AppendError, Appended, EVENT_BYTES_MAX, Expected},
    data::{Data, Json},
    event::{METADATA_BYTES_MAX, NewEvent, Position, Version},
    kind::Kind,
};
use fairway_model::Timestamp;
use std::time::Duration;

cases!(
    what_is_appended_is_read_back_as_it_was,
    a_ledger_is_the_same_when_it_is_opened_again,
    an_append_is_refused_when_the_stream_is_not_as_expected,
    an_append_to_several_streams_is_taken_whole_or_not_at_all,
    an_append_without_events_checks_what_is_expected,
    what_is_too_large_is_refused_and_the_largest_is_kept,
    json_and_bytes_come_back_as_they_were_given,
);

async fn what_is_appended_is_read_back_as_it_was(place: Box<dyn Place>) {
    let (ledger, clock) = open_at(&*place, 7).await;
    let started = NewEvent::new("run-started", &serde_json::json!({"by": "ann"})).expect("JSON");
    let started = started.with_metadata(&serde_json::json!({"cause": 3})).expect("JSON");
    let appended = ledger.append(&stream("run-1"), Expected::NoStream, vec![started]).await;
    let first = Appended { position: Position(1), version: Version(1) };
    assert_eq!(appended.expect("it is appended"), first);
    append(&ledger, "run-2", [5, 6]).await;
    clock.advance(Duration::from_millis(3));
    append(&ledger, "run-1", [7]).await;

    let read = ledger.read_stream(&stream("run-1"), Version(0), 10).await.expect("a page");
    let seen: Vec<_> = read
        .iter()
        .map(|event| (event.position.0, event.version.0, event.recorded, event.data.as_json()))
        .collect();
    let by_ann = Some(r#"{"by":"ann"}"#);
    assert_eq!(seen, [(1, 1, Timestamp(7), by_ann), (4, 2, Timestamp(10), Some("7"))]);
    assert_eq!(read[0].kind, "run-started");
    assert_eq!(read[0].metadata.as_json(), Some(r#"{"cause":3}"#));
    assert_eq!(read[0].stream, stream("run-1"));
    assert_eq!(all(&ledger).await.len(), 4);
}

async fn a_ledger_is_the_same_when_it_is_opened_again(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "a", 0..50).await;
    let before = (ledger.id(), ledger.place(), all(&ledger).await);
    drop(ledger);
    let again = open(&*place).await;
    assert_eq!((again.id(), again.place(), all(&again).await), before);
    append(&again, "a", [50]).await;
    assert_eq!(numbers_in(&again, "a").await, (0..51).collect::<Vec<_>>());
}

async fn an_append_is_refused_when_the_stream_is_not_as_expected(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "there", [1, 2]).await;
    let table = [
        ("there", Expected::Any, true),
        ("there", Expected::Exists, true),
        ("there", Expected::Exact(Version(4)), true),
        ("there", Expected::Exact(Version(4)), false),
        ("there", Expected::NoStream, false),
        ("new", Expected::Exists, false),
        ("new", Expected::Exact(Version(1)), false),
        ("new", Expected::Exact(Version(0)), true),
        ("other", Expected::NoStream, true),
    ];
    for (name, expected, is_taken) in table {
        let result = ledger.append(&stream(name), expected, events([0])).await;
        assert_eq!(result.is_ok(), is_taken, "{name} {expected:?} {result:?}");
        if result.is_err() {
            let version = ledger.stream_version(&stream(name)).await.expect("a version");
            assert_eq!(conflict(result), version.0);
        }
    }
    assert_eq!(all(&ledger).await.len(), 7);
}

async fn an_append_to_several_streams_is_taken_whole_or_not_at_all(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let both = |expected| {
        ["a", "b"].map(|name| Append { stream: stream(name), expected, events: events([1, 2]) })
    };
    append(&ledger, "b", [0]).await;
    assert_eq!(conflict(ledger.append_all(both(Expected::NoStream).into()).await), 1);
    assert_eq!(all(&ledger).await.len(), 1);

    let appended = ledger.append_all(both(Expected::Any).into()).await.expect("it is appended");
    let places: Vec<_> = appended.iter().map(|to| (to.position.0, to.version.0)).collect();
    assert_eq!(places, [(3, 2), (5, 3)]);
    let [twice, _] = both(Expected::Any);
    let refused = ledger.append_all(vec![twice.clone(), twice]).await;
    assert!(matches!(refused, Err(AppendError::SameStream(_))), "{refused:?}");
    assert_eq!(all(&ledger).await.len(), 5);
}

async fn an_append_without_events_checks_what_is_expected(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    append(&ledger, "a", [1, 2]).await;
    append(&ledger, "b", [3]).await;
    let check = |version| Append {
        stream: stream("a"),
        expected: Expected::Exact(Version(version)),
        events: Vec::new(),
    };
    let appended = ledger.append_all(vec![check(2)]).await.expect("it is so");
    assert_eq!(appended, [Appended { position: Position(3), version: Version(2) }]);
    let other = Append { stream: stream("b"), expected: Expected::Any, events: events([4]) };
    assert_eq!(conflict(ledger.append_all(vec![check(1), other.clone()]).await), 2);
    ledger.append_all(vec![check(2), other]).await.expect("it is so");
    assert_eq!(numbers_in(&ledger, "b").await, [3, 4]);
}

async fn what_is_too_large_is_refused_and_the_largest_is_kept(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let text = |length| Json::of(&"a".repeat(length)).expect("a text is JSON");
    let sized = |length| NewEvent::from_json("sized", text(length)).expect("an event");
    let (stream, any) = (stream("a"), Expected::Any);
    let refused = ledger.append(&stream, any, vec![sized(EVENT_BYTES_MAX)]).await;
    assert!(matches!(refused, Err(AppendError::EventTooLarge { .. })), "{refused:?}");
    let metadata = sized(1).with_metadata(&"a".repeat(METADATA_BYTES_MAX)).expect("JSON");
    let refused = ledger.append(&stream, any, vec![metadata]).await;
    assert!(matches!(refused, Err(AppendError::EventTooLarge { .. })), "{refused:?}");

    let largest = sized(EVENT_BYTES_MAX - "sized".len() - "{}".len() - 2);
    assert_eq!(largest.bytes(), EVENT_BYTES_MAX);
    let refused = ledger.append(&stream, any, vec![largest.clone(); 17]).await;
    assert!(matches!(refused, Err(AppendError::BatchTooLarge)), "{refused:?}");
    let refused = ledger.append(&stream, any, events(0..10_000)).await;
    assert!(matches!(refused, Err(AppendError::BatchTooLarge)), "{refused:?}");
    let nothing = |number| Append {
        stream: format!("n-{number}").parse().expect("a legal name"),
        expected: any,
        events: Vec::new(),
    };
    let refused = ledger.append_all((0..5_001).map(nothing).collect()).await;
    assert!(matches!(refused, Err(AppendError::BatchTooLarge)), "{refused:?}");

    ledger.append(&stream, any, vec![largest.clone(); 16]).await.expect("the most at once");
    ledger.append(&stream, any, events(0..5_000)).await.expect("the most at once");
    let page = ledger.read_all(Position(0), 10_000).await.expect("a page");
    assert!(page.len() < 100, "a page is bounded by bytes, not {} events", page.len());
    assert!(page[15].data == largest.data, "the largest event is kept");
    let last = page.last().expect("an event").position;
    let rest = ledger.read_all(last, 10_000).await.expect("a page");
    assert_eq!(page.len() + rest.len(), 16 + 5_000);
    assert_eq!(rest.last().map(number), Some(4_999));
}

async fn json_and_bytes_come_back_as_they_were_given(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let json = |text: &str| Data::from(Json::parse(text.to_owned()).expect("JSON"));
    let cases = [
        (json("{\"a\": 1.10,  \"b\":\"\\u0000é\"}"), json("{}")),
        (json("  [1,2]\n"), Data::Bytes(b"{}".to_vec())),
        (Data::Bytes(Vec::new()), json("null")),
        (Data::Bytes(vec![0, 159, 146, 150, 255]), Data::Bytes(vec![0])),
        (Data::Bytes(b"\"text\"".to_vec()), Data::Bytes(Vec::new())),
    ];
    let kind: Kind = "größe".parse().expect("a kind");
    let given = cases.clone().map(|(data, metadata)| NewEvent {
        id: None,
        kind: kind.clone(),
        data,
        metadata,
    });
    ledger.append(&stream("a"), Expected::Any, given.into()).await.expect("it is appended");
    let read = ledger.read_stream(&stream("a"), Version(0), 10).await.expect("a page");
    assert!(read.iter().all(|event| event.kind == kind));
    let back: Vec<_> = read.into_iter().map(|event| (event.data, event.metadata)).collect();
    assert_eq!(back, cases);
}
