//! Keys in a file.

use crate::place::{Place, is_on_disk, named, stream};
use fairway_ledger::{Append, AppendError, Expected, Version};
use fairway_subjects::{SubjectError, Subjects, is_kept_by_others, over};
use serde_json::Value;
use std::process::Command;

#[tokio::test]
async fn no_byte_of_a_forgotten_key_is_left_in_a_file() {
    let place = Place::in_a_file();
    place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await.unwrap();
    let keys = rusqlite::Connection::open(place.dir.path().join("keys")).unwrap();
    let key: Vec<u8> = keys.query_row("SELECT key FROM keys", (), |row| row.get(0)).unwrap();
    assert!(is_on_disk(place.dir.path(), &key));
    place.subjects.forget("ada").await.unwrap();
    assert!(!is_on_disk(place.dir.path(), &key));
}

#[tokio::test]
async fn a_stream_that_is_named_twice_is_refused() {
    let place = Place::in_a_file();
    let append = |count| Append {
        stream: stream(),
        expected: Expected::Any,
        events: vec![named("ada", "Ada"); count],
    };
    let refused = place.open.append_all(vec![append(1), append(2)]).await.unwrap_err();
    assert!(matches!(refused, AppendError::SameStream(_)), "{refused}");
    assert!(!place.dir.path().join("keys").exists(), "no key is made for what is refused");
}

/// As versions before made them.
#[tokio::test]
async fn keys_of_before_they_had_an_id_get_one() {
    let place = Place::in_a_file();
    let file = place.dir.path().join("keys");
    let keys = rusqlite::Connection::open(&file).unwrap();
    let tables = "
        CREATE TABLE keys (subject TEXT PRIMARY KEY, key BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE streams (stream TEXT NOT NULL, subject TEXT NOT NULL,
            PRIMARY KEY (stream, subject)) STRICT, WITHOUT ROWID;
        INSERT INTO keys VALUES ('ada', zeroblob(32));
    ";
    keys.execute_batch(tables).unwrap();
    place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await.unwrap();
    assert!(!is_kept_by_others(&place.plain, &place.same_keys()).await.unwrap());
    let key: Vec<u8> = keys.query_row("SELECT key FROM keys", (), |row| row.get(0)).unwrap();
    assert_eq!(key, [0; 32], "the key is the one that was there");
}

/// A file system of its own, unmounted on drop.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        disk.mount(&["-t", "tmpfs", "tmpfs"]);
        disk
    }

    fn make_read_only(&self) {
        self.mount(&["-o", "remount,ro"]);
    }

    fn mount(&self, arguments: &[&str]) {
        let mut mount = Command::new("mount");
        mount.args(arguments).arg(self.0.path());
        assert!(mount.status().unwrap().success(), "a mount; this test needs root");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(self.0.path()).status().unwrap();
    }
}

#[tokio::test]
async fn keys_on_a_disk_that_cannot_be_written_open_what_is_personal() {
    let place = Place::in_a_file();
    place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await.unwrap();
    for files in [&["keys", "keys-wal"][..], &["keys", "keys-wal", "keys-shm"], &["keys"]] {
        let disk = Disk::new();
        let path = disk.0.path().join("it is 100% ? #1");
        if files.len() == 1 {
            let keys = rusqlite::Connection::open(place.dir.path().join("keys")).unwrap();
            keys.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
        }
        for file in files {
            let suffix = file.strip_prefix("keys").unwrap();
            let to = format!("{}{suffix}", path.display());
            std::fs::copy(place.dir.path().join(file), to).unwrap();
        }
        disk.make_read_only();
        let subjects = Subjects::new(&path);
        let open = over(&place.plain, subjects.clone());
        let read = open.read_stream(&stream(), Version(0), 9).await;
        if files == ["keys", "keys-wal"] {
            read.unwrap_err();
            continue;
        }
        assert_eq!(read.unwrap()[0].decode::<Value>().unwrap()["name"], "Ada");
        assert!(!is_kept_by_others(&place.plain, &subjects).await.unwrap());
        let refused = subjects.forget("ada").await.unwrap_err();
        assert!(matches!(refused, SubjectError::Keys { .. }), "{refused}");
    }
}
