//! What is personal: sealed in the ledger, open for who reads, and forgotten everywhere.

use crate::place::{Place, is_on_disk, named, stream, with_keys_anywhere};
use fairway_ledger::{
    AppendError, Data, EventId, Expected, Json, Ledger, NewEvent, Position, StreamName, Version,
};
use fairway_subjects::{FORGOTTEN_KIND, PERSONAL, SUBJECTS_STREAM, forget, over};
use futures_util::{FutureExt, future::join_all};
use serde_json::{Value, json};
use tokio::task::coop::unconstrained;

with_keys_anywhere! {
    personal_fields_are_sealed_on_disk_and_open_for_clients,
    a_forgotten_subject_is_gone_from_the_ledger_and_from_a_copy_made_before,
    another_process_sees_at_once_that_a_subject_is_forgotten,
    a_snapshot_of_a_forgotten_subject_is_as_if_it_had_not_been_saved,
    a_retry_of_sealed_events_is_a_retry,
    a_snapshot_over_events_that_were_sealed_before_is_sealed,
    who_is_forgotten_while_others_append_is_gone_from_what_was_there,
    appends_with_and_without_personal_data_keep_their_order,
    an_append_that_is_given_up_lets_those_behind_it_go_on,
    metadata_that_name_nothing_sensible_are_refused,
}

async fn personal_fields_are_sealed_on_disk_and_open_for_clients(place: Place) {
    let events = vec![named("ada", "Ada Lovelace"), named("alan", "Alan Turing")];
    place.open.append(&stream(), Expected::Any, events).await.unwrap();
    assert_eq!(place.names().await, ["Ada Lovelace", "Alan Turing"]);
    assert!(!is_on_disk(place.dir.path(), b"Lovelace"));
    assert!(is_on_disk(place.dir.path(), b"order-created"));
}

async fn a_forgotten_subject_is_gone_from_the_ledger_and_from_a_copy_made_before(place: Place) {
    let events = vec![named("ada", "Ada Lovelace"), named("alan", "Alan Turing")];
    place.open.append(&stream(), Expected::Any, events).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    for file in ["ledger", "ledger-wal"] {
        std::fs::copy(place.dir.path().join(file), copy.path().join(file)).unwrap();
    }
    assert!(place.subjects.forget("ada").await.unwrap());
    assert!(!place.subjects.forget("ada").await.unwrap(), "there is nothing more to forget");
    assert_eq!(place.names().await, [Value::Null, "Alan Turing".into()]);
    let copy = Ledger::open(&copy.path().join("ledger")).unwrap();
    let copy = over(&copy, place.subjects.clone());
    let events = copy.read_stream(&stream(), Version(0), 9).await.unwrap();
    assert_eq!(events[0].decode::<Value>().unwrap(), json!({ "name": null, "total": 7 }));
    // Who comes back gets another key, which opens nothing of before.
    place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada King")]).await.unwrap();
    assert_eq!(place.names().await, [Value::Null, "Alan Turing".into(), "Ada King".into()]);
}

async fn another_process_sees_at_once_that_a_subject_is_forgotten(place: Place) {
    place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await.unwrap();
    let other = place.same_keys();
    assert!(forget(&place.plain, &other, "ada").await.unwrap());
    assert_eq!(place.names().await[0], Value::Null);
    let said = place.open.read_stream(&SUBJECTS_STREAM.parse().unwrap(), Version(0), 9).await;
    let said = &said.unwrap()[0];
    assert_eq!(
        (said.kind.as_str(), said.decode().unwrap()),
        (FORGOTTEN_KIND, json!({ "subject": "ada" }))
    );
}

async fn a_snapshot_of_a_forgotten_subject_is_as_if_it_had_not_been_saved(place: Place) {
    let events = vec![named("ada", "Ada"), named("alan", "Alan")];
    place.open.append(&stream(), Expected::Any, events).await.unwrap();
    let data: Data = Json::of(&json!({ "names": ["Ada", "Alan Turing"] })).unwrap().into();
    let state = ("order-v1".parse().unwrap(), data.clone());
    assert!(place.open.save_snapshot(&stream(), Version(2), state).await.unwrap());
    let found = place.open.snapshot(&stream(), Version::END).await.unwrap().unwrap();
    assert_eq!((found.version, found.data), (Version(2), data));
    assert!(!is_on_disk(place.dir.path(), b"Alan Turing"));
    place.subjects.forget("alan").await.unwrap();
    assert_eq!(place.open.snapshot(&stream(), Version::END).await.unwrap(), None);
}

async fn a_retry_of_sealed_events_is_a_retry(place: Place) {
    let event = || named("ada", "Ada").with_id(EventId([7; 16]));
    let first = place.open.append(&stream(), Expected::NoStream, vec![event()]).await.unwrap();
    let again = place.open.append(&stream(), Expected::NoStream, vec![event()]).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(place.plain.head().await.unwrap(), first.position);
}

/// An export has them sealed. A snapshot of the stream that they get into is sealed as well.
async fn a_snapshot_over_events_that_were_sealed_before_is_sealed(place: Place) {
    place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await.unwrap();
    let sealed = place.plain.read_stream(&stream(), Version(0), 1).await.unwrap().remove(0);
    let again = NewEvent { data: sealed.data, ..named("ada", "Ada") };
    let other: StreamName = "imported-1".parse().unwrap();
    place.open.append(&other, Expected::Any, vec![again]).await.unwrap();
    assert_eq!(place.names().await, ["Ada", "Ada"]);
    let data: Data = Json::of(&json!({ "name": "Ada Lovelace" })).unwrap().into();
    let state = ("order-v1".parse().unwrap(), data);
    place.open.save_snapshot(&other, Version(1), state).await.unwrap();
    assert!(!is_on_disk(place.dir.path(), b"Lovelace"));
    place.subjects.forget("ada").await.unwrap();
    assert_eq!(place.open.snapshot(&other, Version::END).await.unwrap(), None);
}

/// One who is forgotten while others append is gone from all that was appended before.
async fn who_is_forgotten_while_others_append_is_gone_from_what_was_there(place: Place) {
    let stream = stream();
    for round in 0..20 {
        let append = place.open.append(&stream, Expected::Any, vec![named("ada", "Ada")]);
        let (appended, forgotten) = tokio::join!(append, place.subjects.forget("ada"));
        appended.unwrap();
        forgotten.unwrap();
        let names = place.names().await;
        assert_eq!(names.len(), round + 1);
        assert!(names[..round].iter().all(Value::is_null), "{names:?}");
    }
    place.subjects.forget("ada").await.unwrap();
    assert!(place.names().await.iter().all(Value::is_null));
}

/// As an import sends them. Keys are looked up for every other append alone.
async fn appends_with_and_without_personal_data_keep_their_order(place: Place) {
    let numbers = 0..500_u64;
    let appends = numbers.clone().map(|number| {
        let data = json!({ "number": number, "name": "Ada" });
        let event = NewEvent::new("counted", &data).unwrap();
        let personal = json!({ PERSONAL: { "subject": "ada", "fields": ["/name"] } });
        let is_personal = number % 2 == 0;
        let event = if is_personal { event.with_metadata(&personal).unwrap() } else { event };
        let expected = Expected::Exact(Version(number));
        let (ledger, stream) = (&place.open, stream());
        async move { ledger.append(&stream, expected, vec![event]).await }
    });
    let appended = unconstrained(join_all(appends)).await;
    let versions: Vec<Version> = appended.into_iter().map(|one| one.unwrap().version).collect();
    assert_eq!(versions, numbers.map(|number| Version(number + 1)).collect::<Vec<_>>());
}

async fn an_append_that_is_given_up_lets_those_behind_it_go_on(place: Place) {
    let personal =
        || async { place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await };
    let given_up = personal().now_or_never();
    assert!(given_up.is_none(), "the key is looked up first");
    let (mut waiting, other) = (Box::pin(personal()), NewEvent::new("paid", &1).unwrap());
    assert!(waiting.as_mut().now_or_never().is_none());
    // Nobody asks for the one in front until this one is appended.
    let appended = place.open.append(&stream(), Expected::Any, vec![other]).await.unwrap();
    assert_eq!(waiting.await.unwrap().version.0 + 1, appended.version.0);
}

async fn metadata_that_name_nothing_sensible_are_refused(place: Place) {
    let event = NewEvent::new("a", &1).unwrap().with_metadata(&json!({ PERSONAL: 1 })).unwrap();
    let error = place.open.append(&stream(), Expected::Any, vec![event]).await.unwrap_err();
    assert!(matches!(error, AppendError::Personal { .. }), "{error}");
    let binary = NewEvent { data: Data::Bytes(vec![0]), ..named("ada", "Ada") };
    let error = place.open.append(&stream(), Expected::Any, vec![binary]).await.unwrap_err();
    assert!(matches!(error, AppendError::Personal { .. }), "{error}");
    assert_eq!(place.plain.head().await.unwrap(), Position(0));
}
