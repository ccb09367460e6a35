//! Copies have what their ledgers have, whatever happens to these meanwhile.

use crate::place::Place;
use fairway_ledger::{
    AppendError, Clock, CopyError, Copying, Expected, Home, Ledger, LedgerError, NewEvent,
    Portable, Progress, Retention, Store, Version,
    conformance::copies::{Happening, content, happen, happening, name, play},
    open_portable,
};
use proptest::prelude::*;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Builder;

/// A ledger, and an empty copy of it.
async fn pair(place: &Place) -> (Arc<dyn Portable>, Arc<dyn Portable>) {
    let from = open_portable(&place.path(), Clock::system()).unwrap();
    let path = place.path().with_extension("copy");
    let to = open_portable(&path, Clock::system()).unwrap();
    assert!(to.adopt(from.id(), from.place()).await.unwrap());
    (from, open_portable(&path, Clock::system()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_moved_ledger_is_the_same(
        happenings in prop::collection::vec(happening(), 0..40),
    ) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let place = Place::new();
            let (from, to) = pair(&place).await;
            play(from, to, &happenings).await;
        });
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
