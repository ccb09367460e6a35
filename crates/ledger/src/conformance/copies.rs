//! Copies: whatever happens to a ledger while it is copied, what it is moved to has the same.

use crate::{
    append::{AppendError, Expected},
    clock::Clock,
    copying::{Copying, Progress},
    data::{Data, Json},
    event::{Event, NewEvent, Position, Version},
    event_id::EventId,
    ledger::Ledger,
    portable::{Home, ListSnapshots, Portable, TruncatedId},
    read::{ListStreams, Snapshot, StreamState},
    retention::Retention,
    store::Store,
    stream_name::StreamName,
};
use proptest::prelude::*;
use std::sync::Arc;

/// Something that happens to one of a few streams, or to the copy.
#[derive(Debug, Clone, Copy)]
pub enum Happening {
    /// So many events are appended; all but the first are given ids.
    Append {
        /// The stream.
        stream: u8,
        /// How many.
        events: u8,
    },
    /// The stream is truncated.
    Truncate {
        /// The stream.
        stream: u8,
        /// The last version that goes.
        before: u8,
    },
    /// The stream is deleted.
    Delete(u8),
    /// The stream gets a tombstone.
    Tombstone(u8),
    /// A snapshot is saved.
    Save {
        /// The stream.
        stream: u8,
        /// Its version.
        version: u8,
    },
    /// The copy catches up.
    CatchUp,
    /// The copy is killed, and another one goes on.
    Kill,
}

/// Anything that can happen.
pub fn happening() -> impl Strategy<Value = Happening> {
    let stream = 0..4_u8;
    prop_oneof![
        6 => (stream.clone(), 1..4_u8)
            .prop_map(|(stream, events)| Happening::Append { stream, events }),
        2 => (stream.clone(), 1..9_u8)
            .prop_map(|(stream, before)| Happening::Truncate { stream, before }),
        2 => stream.clone().prop_map(Happening::Delete),
        1 => (0..40_u8).prop_map(|any| Happening::Tombstone(any.min(4))),
        1 => (stream, 1..9_u8).prop_map(|(stream, version)| Happening::Save { stream, version }),
        2 => Just(Happening::CatchUp),
        1 => Just(Happening::Kill),
    ]
}

/// The name of a stream.
pub fn name(stream: u8) -> StreamName {
    StreamName::of("thing", stream).expect("a legal name")
}

/// Lets something happen to a ledger.
pub async fn happen(ledger: &Ledger, happening: Happening) {
    let retain = async |stream: u8, retention| {
        // A stream that is closed stays so.
        drop(ledger.retain(&name(stream), Expected::Any, retention).await);
    };
    match happening {
        Happening::Append { stream, events } => {
            let head = u128::from(ledger.head().await.expect("the head is read").0);
            let events = (0..events).map(|number| {
                let event = NewEvent::new("counted", &number).expect("a number is an event");
                match number {
                    0 => event,
                    _ => event.with_id(EventId((head + u128::from(number)).to_be_bytes())),
                }
            });
            match ledger.append(&name(stream), Expected::Any, events.collect()).await {
                Ok(_) | Err(AppendError::Tombstoned(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        Happening::Truncate { stream, before } => {
            retain(stream, Retention::Truncated(Version(before.into()))).await;
        }
        Happening::Delete(stream) => retain(stream, Retention::Deleted).await,
        Happening::Tombstone(stream) => retain(stream, Retention::Tombstoned).await,
        Happening::Save { stream, version } => {
            let state =
                ("state".parse().expect("a kind"), Data::from(Json::of(&version).expect("JSON")));
            let version = Version(version.into());
            ledger.save_snapshot(&name(stream), version, state).await.expect("it is saved");
        }
        Happening::CatchUp | Happening::Kill => {}
    }
}

/// All that a copy has to have.
pub type Content = (Vec<Event>, Vec<StreamState>, Vec<(StreamName, Snapshot)>, Vec<TruncatedId>);

/// What is in a ledger.
pub async fn content(ledger: &Arc<dyn Portable>) -> Content {
    let reader = Ledger::of(ledger.clone() as Arc<dyn Store>, Clock::system());
    let events = reader.read_all(Position(0), 10_000).await.expect("a page");
    let list = ListStreams { limit: 100, ..ListStreams::default() };
    let streams = ledger.streams(list).await.expect("a list");
    let list = ListSnapshots { after: None, limit: 100 };
    let mut snapshots = ledger.snapshots(list).await.expect("a list");
    snapshots.sort_by(|one, other| (&one.0, one.1.version).cmp(&(&other.0, other.1.version)));
    let truncated_ids = ledger.truncated_ids(Position(0), 1_000).await.expect("a list");
    (events, streams, snapshots, truncated_ids)
}

/// Copies a ledger while things happen to it, moves it, and looks whether the copy, which was made
/// for that, has the same. Panics if not.
pub async fn play(from: Arc<dyn Portable>, to: Arc<dyn Portable>, happenings: &[Happening]) {
    let ledger = Ledger::of(from.clone() as Arc<dyn Store>, Clock::system());
    let mut watch = |_: Progress| {};
    let begin = async || Copying::begin(from.clone(), to.clone()).await.expect("it is a copy");
    let mut copying = begin().await;
    for happening in happenings {
        match happening {
            Happening::CatchUp => copying.catch_up(&mut watch).await.expect("it catches up"),
            Happening::Kill => copying = begin().await,
            other => happen(&ledger, *other).await,
        }
    }
    copying.catch_up(&mut watch).await.expect("it catches up");
    copying.switch(&mut watch).await.expect("it is moved");
    assert_eq!(content(&from).await, content(&to).await);
    assert_eq!(to.check().await.expect("it is checked"), []);
    let homes = (from.home().await.expect("a home"), to.home().await.expect("a home"));
    assert_eq!(homes, (Home::At(to.place()), Home::Here));
}
