//! The check of a ledger that is in use.

use super::given::{event, soon, stream, with_ids};
use crate::{
    append::Expected, clock::Clock, data::Data, event::Version, ledger::Ledger, portable::Portable,
    retention::Retention, store::Store,
};
use std::sync::Arc;
use tokio::task::JoinSet;

const WRITERS: u64 = 8;
/// How many checks find nothing.
const CHECKS: usize = 20;

/// Checks a ledger, which was made for that, while writers append, truncate, delete and save
/// snapshots. Panics with what is found wrong.
pub async fn check_in_use(portable: Arc<dyn Portable>) {
    let ledger = Ledger::of(portable.clone() as Arc<dyn Store>, Clock::system());
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(ledger.clone(), writer));
    }
    let mut checked = ledger.head().await.expect("the head is read");
    for _ in 0..CHECKS {
        let goes_on = async {
            while ledger.head().await.expect("the head is read").0 < checked.0 + 50 {
                tokio::task::yield_now().await;
            }
        };
        soon(goes_on).await;
        checked = ledger.head().await.expect("the head is read");
        assert_eq!(portable.check().await.expect("it is checked"), []);
    }
    writers.shutdown().await;
    assert_eq!(portable.check().await.expect("it is checked"), []);
}

async fn write(ledger: Ledger, writer: u64) {
    let name = stream(&format!("used-{writer}"));
    let snapshot = || ("state".parse().expect("a kind"), Data::empty_object());
    for round in 0_u64.. {
        let ids = with_ids([round * WRITERS + writer]);
        let both = [vec![event(round)], ids].concat();
        let appended = ledger.append(&name, Expected::Any, both).await.expect("it is appended");
        let retention = match round % 7 {
            2 => Retention::Truncated(Version(appended.version.0 - 1)),
            6 => Retention::Deleted,
            _ => {
                let saved = ledger.save_snapshot(&name, appended.version, snapshot()).await;
                saved.expect("it is saved");
                continue;
            }
        };
        ledger.retain(&name, Expected::Any, retention).await.expect("it is retained");
    }
}
