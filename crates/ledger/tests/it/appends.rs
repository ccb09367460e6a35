use crate::place::{Place, append, events, numbers, stream};
use fairway_ledger::{
    Append, AppendError, Appended, Clock, EVENT_BYTES_MAX, Expected, Json, Ledger, NewEvent,
    Position, Version,
};
use fairway_model::Timestamp;
use std::time::Duration;

#[tokio::test]
async fn what_is_appended_is_read_back_in_order() {
    let place = Place::new();
    let clock = Clock::manual(Timestamp(7));
    let ledger = Ledger::open_with(&place.path(), clock.clone()).unwrap();
    let run = stream("run-1");
    let started = NewEvent::new("run-started", &serde_json::json!({"by": "ann"})).unwrap();
    let started = started.with_metadata(&serde_json::json!({"cause": 3})).unwrap();
    let appended = ledger.append(&run, Expected::NoStream, vec![started]).await.unwrap();
    assert_eq!(appended, Appended { position: Position(1), version: Version(1) });
    append(&ledger, "run-2", [5, 6]).await;
    clock.advance(Duration::from_millis(3));
    append(&ledger, "run-1", [7]).await;

    let events = ledger.read_stream(&run, Version(0), 10).await.unwrap();
    let seen: Vec<_> = events
        .iter()
        .map(|event| {
            (event.position.0, event.version.0, event.recorded.0, event.data.as_json().unwrap())
        })
        .collect();
    assert_eq!(seen, [(1, 1, 7, r#"{"by":"ann"}"#), (4, 2, 10, "7")]);
    assert_eq!(
        (events[0].kind.as_str(), events[0].metadata.as_json().unwrap()),
        ("run-started", r#"{"cause":3}"#)
    );
    assert_eq!(ledger.read_stream(&run, Version(1), 10).await.unwrap(), events[1..]);
    assert_eq!(ledger.read_all(Position(1), 2).await.unwrap().len(), 2);
    assert_eq!(ledger.stream_version(&stream("run-2")).await.unwrap(), Version(2));
    assert_eq!(ledger.stream_version(&stream("run-3")).await.unwrap(), Version(0));
}

#[tokio::test]
async fn an_append_is_refused_when_the_stream_is_not_as_expected() {
    let place = Place::new();
    let ledger = place.open();
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
        if let Err(error) = result {
            let AppendError::Conflict { actual, .. } = error else { panic!("{error}") };
            assert_eq!(actual, ledger.stream_version(&stream(name)).await.unwrap());
        }
    }
    numbers(&ledger).await;
}

#[tokio::test]
async fn an_append_to_several_streams_is_taken_whole_or_not_at_all() {
    let place = Place::new();
    let ledger = place.open();
    let both = |expected| {
        ["a", "b"].map(|name| Append { stream: stream(name), expected, events: events([1, 2]) })
    };
    append(&ledger, "b", [0]).await;
    let refused = ledger.append_all(both(Expected::NoStream).into()).await;
    assert!(matches!(refused, Err(AppendError::Conflict { actual: Version(1), .. })));
    assert_eq!(numbers(&ledger).await, [0]);

    let appended = ledger.append_all(both(Expected::Any).into()).await.unwrap();
    assert_eq!(
        appended.iter().map(|a| (a.position.0, a.version.0)).collect::<Vec<_>>(),
        [(3, 2), (5, 3)]
    );
    let [twice, _] = both(Expected::Any);
    let refused = ledger.append_all(vec![twice.clone(), twice]).await;
    assert!(matches!(refused, Err(AppendError::SameStream(_))));
    let guard =
        Append { stream: stream("a"), expected: Expected::Exact(Version(2)), events: vec![] };
    assert_eq!(ledger.append_all(vec![guard]).await.unwrap()[0].position, Position(5));
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let place = Place::new();
    let ledger = place.open();
    let text = |length| Json::of(&"a".repeat(length)).unwrap();
    let big = NewEvent::from_json("big", text(EVENT_BYTES_MAX)).unwrap();
    let refused = ledger.append(&stream("a"), Expected::Any, vec![big]).await;
    assert!(matches!(refused, Err(AppendError::EventTooLarge { .. })));
    let fits = NewEvent::from_json("fits", text(EVENT_BYTES_MAX - 100)).unwrap();
    let refused = ledger.append(&stream("a"), Expected::Any, vec![fits.clone(); 20]).await;
    assert!(matches!(refused, Err(AppendError::BatchTooLarge)));
    let refused = ledger.append(&stream("a"), Expected::Any, events(0..10_000)).await;
    assert!(matches!(refused, Err(AppendError::BatchTooLarge)));

    for _ in 0..3 {
        ledger.append(&stream("a"), Expected::Any, vec![fits.clone(); 10]).await.unwrap();
    }
    let page = ledger.read_all(Position(0), 1000).await.unwrap();
    assert_eq!(page.len(), 17, "a page is bounded by bytes too");
}

#[tokio::test]
async fn many_writers_share_a_sync_and_all_are_kept() {
    let place = Place::new();
    let ledger = place.open();
    let start = std::time::Instant::now();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..64 {
        let ledger = ledger.clone();
        writers.spawn(async move {
            for number in 0..50 {
                append(&ledger, &format!("writer-{writer}"), [writer * 50 + number]).await;
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    println!("64 writers appended 3200 events in {:?}", start.elapsed());
    let mut all = numbers(&ledger).await;
    all.sort_unstable();
    assert_eq!(all, (0..3200).collect::<Vec<_>>());
}
