//! Snapshots of streams.

use super::{
    Place, cases,
    given::{append, stream},
    place::open_at,
};
use crate::{
    append::Expected,
    data::{Data, Json},
    event::Version,
    ledger::Ledger,
    read::SNAPSHOTS_MAX,
    retention::Retention,
};
use fairway_model::Timestamp;

cases!(
    the_newest_snapshot_up_to_a_version_is_found,
    a_snapshot_of_a_version_that_is_not_there_is_not_saved,
    the_oldest_snapshots_go_first,
    the_snapshots_of_a_deleted_stream_are_gone,
);

fn sum(number: u64) -> Data {
    Json::of(&number).expect("a number is JSON").into()
}

async fn save(ledger: &Ledger, version: u64, data: Data) -> bool {
    let kind = "sum-v1".parse().expect("a kind");
    let saved = ledger.save_snapshot(&stream("a"), Version(version), (kind, data)).await;
    saved.expect("it is saved")
}

async fn newest(ledger: &Ledger, up_to: Version) -> Option<(u64, Data)> {
    let newest = ledger.snapshot(&stream("a"), up_to).await.expect("it is read");
    newest.map(|snapshot| (snapshot.version.0, snapshot.data))
}

async fn the_newest_snapshot_up_to_a_version_is_found(place: Box<dyn Place>) {
    let (ledger, _) = open_at(&*place, 42).await;
    append(&ledger, "a", 1..=20).await;
    assert!(save(&ledger, 5, sum(15)).await);
    assert!(save(&ledger, 10, sum(55)).await);
    let bytes = Data::Bytes(vec![0, 255]);
    assert!(save(&ledger, 15, bytes.clone()).await);
    assert_eq!(newest(&ledger, Version::END).await, Some((15, bytes)));
    assert_eq!(newest(&ledger, Version(14)).await, Some((10, sum(55))));
    assert_eq!(newest(&ledger, Version(10)).await, Some((10, sum(55))));
    assert_eq!(newest(&ledger, Version(4)).await, None);
    assert!(save(&ledger, 10, sum(56)).await, "again");
    assert_eq!(newest(&ledger, Version(12)).await, Some((10, sum(56))));
    let found = ledger.snapshot(&stream("a"), Version(5)).await.expect("read").expect("one");
    assert_eq!((found.kind.as_str(), found.recorded), ("sum-v1", Timestamp(42)));
}

async fn a_snapshot_of_a_version_that_is_not_there_is_not_saved(place: Box<dyn Place>) {
    let (ledger, _) = open_at(&*place, 42).await;
    assert!(!save(&ledger, 0, sum(0)).await);
    append(&ledger, "a", [1]).await;
    assert!(!save(&ledger, 2, sum(0)).await);
    assert_eq!(newest(&ledger, Version::END).await, None);
}

async fn the_oldest_snapshots_go_first(place: Box<dyn Place>) {
    let (ledger, _) = open_at(&*place, 42).await;
    let count = SNAPSHOTS_MAX + 5;
    append(&ledger, "a", 1..=count).await;
    for version in 1..=count {
        assert!(save(&ledger, version, sum(version)).await);
    }
    assert_eq!(newest(&ledger, Version(5)).await, None);
    assert_eq!(newest(&ledger, Version(6)).await, Some((6, sum(6))));
    assert_eq!(newest(&ledger, Version::END).await, Some((count, sum(count))));
}

async fn the_snapshots_of_a_deleted_stream_are_gone(place: Box<dyn Place>) {
    let (ledger, _) = open_at(&*place, 42).await;
    append(&ledger, "a", [1, 2]).await;
    assert!(save(&ledger, 2, sum(3)).await);
    let deleted = ledger.retain(&stream("a"), Expected::Any, Retention::Deleted).await;
    deleted.expect("it is deleted");
    assert_eq!(newest(&ledger, Version::END).await, None);
    assert!(!save(&ledger, 2, sum(3)).await, "who saved too late");
    append(&ledger, "a", [3]).await;
    assert_eq!(newest(&ledger, Version::END).await, None);
    assert!(save(&ledger, 3, sum(3)).await);
}
