//! Ledgers that say which keys their personal data are sealed with.

use crate::place::{Place, named, stream, with_keys_anywhere};
use fairway_ledger::{AppendError, Data, Expected, Json, Ledger, LedgerError, NewEvent, Version};
use fairway_subjects::{
    ForgetError, KEYS_STREAM, KeptError, SubjectError, Subjects, adopt, forget, is_kept_by_others,
    over,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{error::Error, sync::Arc};

with_keys_anywhere! {
    who_only_reads_or_forgets_makes_no_keys,
    nothing_is_sealed_or_forgotten_with_other_keys_than_the_ledgers,
    no_snapshot_is_saved_with_other_keys_than_the_ledgers,
    of_two_that_seal_first_at_once_one_is_refused,
    adopted_keys_are_the_only_ones_from_then_on_also_for_who_seals_already,
    a_ledger_that_takes_in_what_was_sealed_before_has_the_keys_that_open_it,
}

/// The same ledger, with the keys of another machine.
struct Elsewhere {
    ledger: Ledger,
    subjects: Subjects,
}

impl Elsewhere {
    fn of(place: &Place) -> Self {
        let subjects = Subjects::new(&place.dir.path().join("other-keys"));
        Self { ledger: over(&place.plain, subjects.clone()), subjects }
    }
}

fn is_of_other_keys(error: &(dyn Error + 'static)) -> bool {
    let other = |error: &SubjectError| matches!(error, SubjectError::OtherKeys);
    error.downcast_ref().is_some_and(other)
}

/// Whether an append was refused because the ledger has other keys.
fn is_refused(appended: Result<fairway_ledger::Appended, AppendError>) -> bool {
    let Err(AppendError::Personal { source, .. }) = appended else { return false };
    is_of_other_keys(&*Arc::clone(&source))
}

fn open_event() -> NewEvent {
    NewEvent::new("paid", &json!({ "total": 7 })).unwrap()
}

async fn who_only_reads_or_forgets_makes_no_keys(place: Place) {
    let other = Elsewhere::of(&place);
    other.ledger.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await.unwrap();
    assert_eq!(place.names().await, [Value::Null]);
    assert!(is_kept_by_others(&place.open, &place.subjects).await.unwrap());
    assert!(!place.subjects.forget("ada").await.unwrap());
    assert!(!place.has_keys().await);
    assert!(adopt(&place.plain, &place.same_keys()).await.unwrap());
    assert!(place.has_keys().await);
    let event = vec![named("ada", "Ada King")];
    place.open.append(&stream(), Expected::Any, event).await.unwrap();
    assert_eq!(place.names().await, [Value::Null, "Ada King".into()]);
}

async fn nothing_is_sealed_or_forgotten_with_other_keys_than_the_ledgers(place: Place) {
    place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await.unwrap();
    let other = Elsewhere::of(&place);
    let append = async |event| other.ledger.append(&stream(), Expected::Any, vec![event]).await;
    assert!(is_refused(append(named("ada", "Ada King")).await));
    let forgotten = forget(&other.ledger, &other.subjects, "ada").await.unwrap_err();
    let ForgetError::Kept(KeptError::Subject(error)) = forgotten else { panic!("{forgotten}") };
    assert!(is_of_other_keys(&error), "{error}");
    append(open_event()).await.unwrap();
    let seen = other.ledger.read_stream(&stream(), Version(0), 9).await.unwrap();
    assert_eq!(seen[0].decode::<Value>().unwrap(), json!({ "name": null, "total": 7 }));
    assert_eq!(place.names().await[0], "Ada");
    assert!(is_kept_by_others(&other.ledger, &other.subjects).await.unwrap());
    assert!(!is_kept_by_others(&place.open, &place.subjects).await.unwrap());
    assert!(!place.dir.path().join("other-keys").exists(), "no keys are made for nothing");
}

/// Who has read a name where it is open could save it where nothing says that it is personal.
async fn no_snapshot_is_saved_with_other_keys_than_the_ledgers(place: Place) {
    place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await.unwrap();
    let data: Data = Json::of(&json!({ "name": "Ada" })).unwrap().into();
    let state = ("order-v1".parse().unwrap(), data);
    let saved = Elsewhere::of(&place).ledger.save_snapshot(&stream(), Version(1), state).await;
    let Err(LedgerError::Backend { source, .. }) = saved else { panic!("{saved:?}") };
    assert!(is_of_other_keys(&*source), "{source}");
}

async fn of_two_that_seal_first_at_once_one_is_refused(place: Place) {
    let other = Elsewhere::of(&place);
    let event = || vec![named("ada", "Ada")];
    let (stream, second) = (stream(), "order-2".parse().unwrap());
    let (one, two) = tokio::join!(
        place.open.append(&stream, Expected::Any, event()),
        other.ledger.append(&second, Expected::Any, event()),
    );
    assert_ne!(one.is_ok(), two.is_ok());
    assert!(is_refused(if one.is_ok() { two } else { one }));
}

async fn adopted_keys_are_the_only_ones_from_then_on_also_for_who_seals_already(place: Place) {
    let append = async || {
        place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada"), open_event()]).await
    };
    append().await.unwrap();
    let other = Elsewhere::of(&place);
    assert!(adopt(&place.plain, &other.subjects).await.unwrap());
    assert!(!adopt(&place.plain, &other.subjects).await.unwrap(), "they are the ledger's already");
    assert!(is_refused(append().await));
    assert_eq!(place.plain.stream_version(&stream()).await.unwrap(), Version(2));
    let event = vec![named("ada", "Ada King")];
    other.ledger.append(&stream(), Expected::Any, event).await.unwrap();
    assert_eq!(place.names().await, ["Ada".into(), Value::Null, Value::Null]);
    assert!(adopt(&place.plain, &place.subjects).await.unwrap());
    append().await.unwrap();
    assert!(forget(&place.plain, &place.subjects, "ada").await.unwrap());
    let told = place.plain.stream_version(&KEYS_STREAM.parse().unwrap()).await.unwrap();
    assert_eq!(told, Version(3));
}

/// An export has them sealed, and need not have what the ledger says of itself.
async fn a_ledger_that_takes_in_what_was_sealed_before_has_the_keys_that_open_it(place: Place) {
    place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await.unwrap();
    let sealed = place.plain.read_stream(&stream(), Version(0), 1).await.unwrap().remove(0);
    let import = || vec![NewEvent { data: sealed.data.clone(), ..named("ada", "Ada") }];
    let imported = Ledger::open(&place.dir.path().join("imported")).unwrap();
    let other = Subjects::new(&place.dir.path().join("other-keys"));
    over(&imported, other.clone()).append(&stream(), Expected::Any, import()).await.unwrap();
    assert!(!is_kept_by_others(&imported, &other).await.unwrap(), "nobody has said anything yet");
    let own = over(&imported, place.subjects.clone());
    own.append(&stream(), Expected::Any, import()).await.unwrap();
    assert!(is_kept_by_others(&imported, &other).await.unwrap());
}

#[tokio::test]
async fn many_that_seal_first_at_once_tell_the_ledger_once() {
    for _ in 0..10 {
        let place = Place::in_a_file();
        let appends = (0..200).map(async |_| {
            let event = vec![named("ada", "Ada")];
            place.open.append(&stream(), Expected::Any, event).await.unwrap()
        });
        join_all(appends).await;
        let told = place.plain.stream_version(&KEYS_STREAM.parse().unwrap()).await.unwrap();
        assert_eq!(told, Version(1));
    }
}

#[tokio::test]
async fn keys_that_were_made_anew_are_not_the_ledgers() {
    let place = Place::in_a_file();
    place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await.unwrap();
    for file in ["keys", "keys-wal", "keys-shm"] {
        std::fs::remove_file(place.dir.path().join(file)).ok();
    }
    let subjects = Subjects::new(&place.dir.path().join("keys"));
    let open = over(&place.plain, subjects.clone());
    assert!(is_refused(open.append(&stream(), Expected::Any, vec![named("a", "A")]).await));
    assert!(adopt(&open, &subjects).await.unwrap());
    open.append(&stream(), Expected::Any, vec![named("a", "A")]).await.unwrap();
}
