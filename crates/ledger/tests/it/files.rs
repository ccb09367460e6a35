//! Ledger files as wholes: copied, completed, put in the place of others.

use crate::place::{Mounted, Place, append, numbers};
use fairway_ledger::{Ledger, LedgerError, complete_file, copy_file, put_file};
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
    fs::write(place.path(), "").unwrap();
    let error = complete_file(&place.path()).unwrap_err();
    assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
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
