//! Keys in a file.

use crate::place::{Place, is_on_disk, named, stream};
use fairway_ledger::{Append, AppendError, Expected};
use fairway_subjects::is_kept_by_others;

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
