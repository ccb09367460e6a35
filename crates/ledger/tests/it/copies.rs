//! Copies have what their ledgers have, whatever happens to these meanwhile.

use crate::place::Place;
use fairway_ledger::{
    AppendError, Clock, CopyError, Copying, Data, Event, EventId, Expected, Home, Json, Ledger,
    LedgerError, ListSnapshots, ListStreams, NewEvent, Portable, Position, Progress, Retention,
    Snapshot, Store, StreamName, StreamState, TruncatedId, Version, open_portable,
};
use proptest::prelude::*;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Builder;

/// Something that happens to one of a few streams, or to the copy.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Append {
        stream: u8,
        events: u8,
    },
    Truncate {
        stream: u8,
        before: u8,
    },
    Delete(u8),
    Tombstone(u8),
    Save {
        stream: u8,
        version: u8,
    },
    /// The copy catches up.
    CatchUp,
    /// The copy is killed, and another one goes on.
    Kill,
}

fn happening() -> impl Strategy<Value = Happening> {
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

fn name(stream: u8) -> StreamName {
    StreamName::of("thing", stream).unwrap()
}

async fn happen(ledger: &Ledger, happening: Happening) {
    let retain = async |stream: u8, retention| {
        // A stream that is closed stays so.
        drop(ledger.retain(&name(stream), Expected::Any, retention).await);
    };
    match happening {
        Happening::Append { stream, events } => {
            let head = u128::from(ledger.head().await.unwrap().0);
            let events = (0..events).map(|number| {
                let event = NewEvent::new("counted", &number).unwrap();
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
            let state = ("state".parse().unwrap(), Data::from(Json::of(&version).unwrap()));
            let version = Version(version.into());
            ledger.save_snapshot(&name(stream), version, state).await.unwrap();
        }
        Happening::CatchUp | Happening::Kill => {}
    }
}

type Content = (Vec<Event>, Vec<StreamState>, Vec<(StreamName, Snapshot)>, Vec<TruncatedId>);

async fn content(ledger: &Arc<dyn Portable>) -> Content {
    let reader = Ledger::of(ledger.clone() as Arc<dyn Store>, Clock::system());
    let events = reader.read_all(Position(0), 10_000).await.unwrap();
    let list = ListStreams { limit: 100, ..ListStreams::default() };
    let streams = ledger.streams(list).await.unwrap();
    let list = ListSnapshots { after: None, limit: 100 };
    let mut snapshots = ledger.snapshots(list).await.unwrap();
    snapshots.sort_by(|one, other| (&one.0, one.1.version).cmp(&(&other.0, other.1.version)));
    let truncated_ids = ledger.truncated_ids(Position(0), 1_000).await.unwrap();
    (events, streams, snapshots, truncated_ids)
}

/// A ledger, and an empty copy of it.
async fn pair(place: &Place) -> (Arc<dyn Portable>, Arc<dyn Portable>) {
    let from = open_portable(&place.path(), Clock::system()).unwrap();
    let path = place.path().with_extension("copy");
    let to = open_portable(&path, Clock::system()).unwrap();
    assert!(to.adopt(from.id(), from.place()).await.unwrap());
    (from, open_portable(&path, Clock::system()).unwrap())
}

async fn play(happenings: &[Happening]) {
    let place = Place::new();
    let (from, to) = pair(&place).await;
    let ledger = Ledger::of(from.clone() as Arc<dyn Store>, Clock::system());
    let mut watch = |_: Progress| {};
    let mut copying = Copying::begin(from.clone(), to.clone()).await.unwrap();
    for happening in happenings {
        match happening {
            Happening::CatchUp => copying.catch_up(&mut watch).await.unwrap(),
            Happening::Kill => copying = Copying::begin(from.clone(), to.clone()).await.unwrap(),
            other => happen(&ledger, *other).await,
        }
    }
    copying.catch_up(&mut watch).await.unwrap();
    copying.switch(&mut watch).await.unwrap();
    assert_eq!(content(&from).await, content(&to).await);
    assert_eq!(to.check().await.unwrap(), []);
    assert_eq!((from.home().await.unwrap(), to.home().await.unwrap()), {
        (Home::At(to.place()), Home::Here)
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_moved_ledger_is_the_same(
        happenings in prop::collection::vec(happening(), 0..40),
    ) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(&happenings));
    }
}

#[tokio::test]
async fn a_move_that_fails_leaves_the_ledger_open() {
    let place = Place::new();
    let (from, to) = pair(&place).await;
    let ledger = Ledger::of(from.clone() as Arc<dyn Store>, Clock::system());
    happen(&ledger, Happening::Append { stream: 1, events: 3 }).await;
    let mut copying = Copying::begin(from.clone(), to.clone()).await.unwrap();
    // Somebody opens the copy to appends, and so it is none.
    to.set_home(Home::Here).await.unwrap();
    let failed = copying.switch(&mut |_| {}).await.unwrap_err();
    assert!(matches!(failed, CopyError::Independent(_)), "{failed}");
    assert_eq!(from.home().await.unwrap(), Home::Here);
    happen(&ledger, Happening::Append { stream: 1, events: 1 }).await;
}

#[tokio::test]
async fn a_copy_takes_no_appends_and_is_no_place_for_another_ledger() {
    let (place, another) = (Place::new(), Place::new());
    let (from, to) = pair(&place).await;
    let copy = Ledger::of(to.clone() as Arc<dyn Store>, Clock::system());
    let event = || vec![NewEvent::new("counted", &1).unwrap()];
    let refused = copy.append(&name(1), Expected::Any, event()).await.unwrap_err();
    assert!(matches!(refused, AppendError::Ledger(LedgerError::Moved { .. })), "{refused}");
    let other = open_portable(&another.path(), Clock::system()).unwrap();
    let ledger = Ledger::of(other.clone() as Arc<dyn Store>, Clock::system());
    ledger.append(&name(1), Expected::Any, event()).await.unwrap();
    assert!(!other.adopt(from.id(), from.place()).await.unwrap());
    let refused = Copying::begin(from, other).await.unwrap_err();
    assert!(matches!(refused, CopyError::Occupied(_)), "{refused}");
}

/// Of two moves at once, one fails after the other is done.
#[tokio::test]
async fn a_move_that_comes_too_late_does_not_open_the_ledger_again() {
    let place = Place::new();
    let (from, to) = pair(&place).await;
    let ledger = Ledger::of(from.clone() as Arc<dyn Store>, Clock::system());
    happen(&ledger, Happening::Append { stream: 1, events: 3 }).await;
    let mut late = Copying::begin(from.clone(), to.clone()).await.unwrap();
    let mut first = Copying::begin(from.clone(), to.clone()).await.unwrap();
    first.switch(&mut |_| {}).await.unwrap();
    let moved = Ledger::of(to.clone() as Arc<dyn Store>, Clock::system());
    happen(&moved, Happening::Append { stream: 1, events: 1 }).await;
    let failed = late.switch(&mut |_| {}).await.unwrap_err();
    assert!(matches!(failed, CopyError::Independent(_)), "{failed}");
    assert_eq!(from.home().await.unwrap(), Home::At(to.place()), "there is one ledger only");
}

/// Events go while they are copied, and what says so comes after them.
#[tokio::test]
async fn a_copy_knows_of_what_is_truncated_under_it() {
    let place = Place::new();
    let (from, to) = pair(&place).await;
    let ledger = Ledger::of(from.clone() as Arc<dyn Store>, Clock::system());
    let mut copying = Copying::begin(from.clone(), to.clone()).await.unwrap();
    copying.catch_up(&mut |_| {}).await.unwrap();
    let event = NewEvent::new("counted", &1).unwrap();
    ledger.append(&name(1), Expected::Any, vec![event; 4_500]).await.unwrap();
    let mut is_truncated = false;
    let mut truncate = |_: Progress| {
        if !std::mem::replace(&mut is_truncated, true) {
            let retain = async {
                let path = place.path();
                let ledger = Ledger::open(&path).unwrap();
                let gone = Retention::Truncated(Version(2_500));
                ledger.retain(&name(1), Expected::Any, gone).await.unwrap();
            };
            let run =
                || Builder::new_current_thread().enable_all().build().unwrap().block_on(retain);
            std::thread::scope(|scope| scope.spawn(run).join().unwrap());
        }
    };
    copying.catch_up(&mut truncate).await.unwrap();
    assert_eq!(to.check().await.unwrap(), []);
    assert_eq!(content(&from).await, content(&to).await);
}

#[tokio::test]
async fn a_copy_that_follows_gets_snapshots_too() {
    let place = Place::new();
    let (from, to) = pair(&place).await;
    let ledger = Ledger::of(from.clone() as Arc<dyn Store>, Clock::system());
    let mut copying = Copying::begin(from.clone(), to.clone()).await.unwrap();
    let saving = async {
        for version in 1..=3 {
            happen(&ledger, Happening::Append { stream: 1, events: 2 }).await;
            happen(&ledger, Happening::Save { stream: 1, version }).await;
            let deadline = Instant::now() + Duration::from_secs(30);
            while content(&to).await.2.len() < version.into() {
                assert!(Instant::now() < deadline, "snapshot {version} is copied");
                tokio::task::yield_now().await;
            }
        }
    };
    let mut watch = |_: Progress| {};
    tokio::select! {
        ended = copying.follow(&mut watch) => panic!("{ended:?}"),
        () = saving => {}
    }
    assert_eq!(content(&from).await, content(&to).await);
}
