//! Short ways to use a ledger in a case.

use crate::{
    append::{AppendError, Appended, Expected},
    event::{Event, NewEvent, Position, Version},
    event_id::EventId,
    ledger::Ledger,
    read::{From, Read, Scope},
    stream_name::StreamName,
};
use std::{collections::HashMap, time::Duration};
use tokio::time::timeout;

/// How long anything in a case may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn stream(name: &str) -> StreamName {
    name.parse().expect("a legal name")
}

pub(super) fn events(numbers: impl IntoIterator<Item = u64>) -> Vec<NewEvent> {
    numbers.into_iter().map(event).collect()
}

pub(super) fn event(number: u64) -> NewEvent {
    NewEvent::new("counted", &number).expect("a number is an event")
}

/// Events with the numbers as ids, too.
pub(super) fn with_ids(numbers: impl IntoIterator<Item = u64>) -> Vec<NewEvent> {
    numbers.into_iter().map(|number| event(number).with_id(id(number))).collect()
}

pub(super) fn id(number: u64) -> EventId {
    EventId(u128::from(number).to_be_bytes())
}

pub(super) async fn append(
    ledger: &Ledger,
    name: &str,
    numbers: impl IntoIterator<Item = u64>,
) -> Appended {
    let appended = ledger.append(&stream(name), Expected::Any, events(numbers)).await;
    appended.expect("it is appended")
}

/// The version that a refused append says the stream has.
pub(super) fn conflict<T: std::fmt::Debug>(result: Result<T, AppendError>) -> u64 {
    match result {
        Err(AppendError::Conflict { actual, .. }) => actual.0,
        other => panic!("a conflict, not {other:?}"),
    }
}

pub(super) fn number(event: &Event) -> u64 {
    event.decode().expect("the event has a number")
}

pub(super) async fn page(ledger: &Ledger, scope: Scope, limit: usize) -> Vec<Event> {
    ledger.read(Read::new(scope, limit)).await.expect("a page is read")
}

/// The numbers of a page.
pub(super) async fn numbers_of(ledger: &Ledger, scope: Scope, limit: usize) -> Vec<u64> {
    page(ledger, scope, limit).await.iter().map(number).collect()
}

/// The numbers that a stream has now.
pub(super) async fn numbers_in(ledger: &Ledger, name: &str) -> Vec<u64> {
    numbers_of(ledger, Scope::Stream(stream(name), From::After(Version(0))), 10_000).await
}

/// All events of a ledger of which nothing was removed, after checking that positions and versions
/// have no gap and times never go back.
pub(super) async fn all(ledger: &Ledger) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::new();
    let mut versions = HashMap::new();
    loop {
        let after = all.last().map_or(Position(0), |event| event.position);
        let page = ledger.read_all(after, 1_000).await.expect("a page is read");
        if page.is_empty() {
            assert_eq!(ledger.head().await.expect("the head is read"), after);
            return all;
        }
        for event in page {
            let before = all.last().map_or(Position(0), |event| event.position);
            assert_eq!(event.position.0, before.0 + 1, "no gap in the ledger");
            let version = versions.entry(event.stream.clone()).or_insert(0);
            *version += 1;
            assert_eq!(event.version.0, *version, "no gap in `{}`", event.stream);
            assert!(all.last().is_none_or(|before| before.recorded <= event.recorded));
            all.push(event);
        }
    }
}

/// Waits for something no longer than anything in a case may take.
pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it happens in time")
}
