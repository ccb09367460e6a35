//! Ledger files as wholes: copied, completed, put in the place of others.

use crate::place::{Mounted, Place, append, events, numbers, stream};
use fairway_ledger::{
    AppendError, Clock, Expected, Ledger, LedgerError, complete_file, copy_file, open_existing,
    put_file,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn beside(path: &Path, suffix: &str) -> PathBuf {
    format!("{}{suffix}", path.display()).into()
}

/// Copies the files of a ledger that is open, as if its process had been killed.
fn leave(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        fs::copy(beside(from, suffix), beside(to, suffix)).unwrap();
    }
}

/// A complete file of a ledger with some numbers.
async fn complete(place: &Place, numbers: std::ops::Range<u64>) -> PathBuf {
    let (ledger, file) = (place.open(), beside(&place.path(), ".unfinished"));
    append(&ledger, "a", numbers).await;
    copy_file(&place.path(), &file, |_, _| {}).unwrap();
    assert_eq!(complete_file(&file).unwrap().faults, []);
    file
}

#[tokio::test]
async fn a_log_that_was_left_is_not_taken_for_that_of_a_restored_ledger() {
    let (one, other) = (Place::new(), Place::new());
    let (ledger, path) = (one.open(), beside(&one.path(), ".left"));
    append(&ledger, "b", 0..500).await;
    leave(&one.path(), &path);
    fs::remove_file(&path).unwrap();
    put_file(&complete(&other, 0..3).await, &path).unwrap();
    assert_eq!(numbers(&Ledger::open(&path).unwrap()).await, [0, 1, 2]);
}

#[tokio::test]
async fn a_damaged_ledger_is_replaced() {
    let (one, other) = (Place::new(), Place::new());
    let (ledger, path) = (one.open(), beside(&one.path(), ".left"));
    append(&ledger, "b", 0..500).await;
    leave(&one.path(), &path);
    fs::write(&path, "no ledger at all".repeat(500)).unwrap();
    put_file(&complete(&other, 0..3).await, &path).unwrap();
    assert_eq!(numbers(&Ledger::open(&path).unwrap()).await, [0, 1, 2]);
}

#[tokio::test]
async fn a_ledger_that_cannot_be_replaced_stays_open() {
    let (one, other) = (Place::new(), Place::new());
    let ledger = one.open();
    append(&ledger, "b", 0..3).await;
    let file = complete(&other, 0..3).await;
    let error = put_file(&file, &one.path()).unwrap_err();
    assert!(matches!(error, LedgerError::Busy(_)), "somebody has it open: {error}");
    append(&ledger, "b", 3..4).await;
    assert_eq!(numbers(&one.open()).await, [0, 1, 2, 3]);
}

#[test]
fn what_is_not_there_becomes_no_ledger() {
    let place = Place::new();
    let error = complete_file(&place.path()).unwrap_err();
    assert!(matches!(error, LedgerError::NotWritable { .. }), "{error}");
    assert!(!place.path().exists());
    for error in [
        Ledger::open_existing(&place.path()).unwrap_err(),
        open_existing(&place.path(), Clock::system()).unwrap_err(),
        copy_file(&place.path(), &beside(&place.path(), ".copy"), |_, _| {}).unwrap_err(),
    ] {
        assert!(matches!(error, LedgerError::Missing(_)), "{error}");
    }
    assert!(!place.path().exists());
    fs::write(place.path(), "").unwrap();
    for error in [
        complete_file(&place.path()).unwrap_err(),
        Ledger::open_existing(&place.path()).unwrap_err(),
        copy_file(&place.path(), &beside(&place.path(), ".copy"), |_, _| {}).unwrap_err(),
    ] {
        assert!(matches!(error, LedgerError::Missing(_)), "{error}");
    }
    assert_eq!(fs::metadata(place.path()).unwrap().len(), 0, "it stays as it is");
}

#[tokio::test]
async fn a_copy_from_a_disk_that_cannot_be_written_has_what_is_in_the_log() {
    let (disk, place) = (Mounted::small_disk(), Place::new());
    let ledger = place.open();
    append(&ledger, "a", 0..20).await;
    leave(&place.path(), &disk.path());
    disk.make_read_only();
    let file = beside(&place.path(), ".unfinished");
    copy_file(&disk.path(), &file, |_, _| {}).unwrap();
    let checked = complete_file(&file).unwrap();
    assert_eq!((checked.head.0, checked.faults), (20, vec![]));
    assert_eq!(numbers(&Ledger::open(&file).unwrap()).await, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_backup_on_a_disk_that_cannot_be_written_is_read_and_checked() {
    let (disk, place) = (Mounted::small_disk(), Place::new());
    let path = disk.dir().join("it is 100% ? #1");
    fs::copy(complete(&place, 0..20).await, &path).unwrap();
    disk.make_read_only();
    let ledger = Ledger::open_existing(&path).unwrap();
    assert_eq!(numbers(&ledger).await, (0..20).collect::<Vec<_>>());
    let refused = ledger.append(&stream("a"), Expected::Any, events([20])).await.unwrap_err();
    assert!(matches!(refused, AppendError::Ledger(LedgerError::NotWritable { .. })), "{refused}");
    let portable = open_existing(&path, Clock::system()).unwrap();
    assert_eq!(portable.check().await.unwrap(), []);
    let copy = place.path().with_extension("copy");
    copy_file(&path, &copy, |_, _| {}).unwrap();
    assert_eq!(complete_file(&copy).unwrap().faults, []);
}

#[tokio::test]
async fn a_ledger_with_a_log_on_a_disk_that_cannot_be_written_is_not_read_in_part() {
    let (disk, place) = (Mounted::small_disk(), Place::new());
    let ledger = place.open();
    append(&ledger, "a", 0..20).await;
    leave(&place.path(), &disk.path());
    disk.make_read_only();
    let error = Ledger::open_existing(&disk.path()).unwrap_err();
    let LedgerError::NotWritable { source, .. } = error else { panic!("{error}") };
    assert!(source.to_string().contains("ledger-wal` has events that are not in the file yet"));
}
