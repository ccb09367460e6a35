//! Verbs that read a ledger make none where there is nothing.

use crate::{database::Database, ledger::fill, outcome::assert_outcome, world::World};
use std::fs;

/// What reads a ledger at a place, or removes something of it.
fn readers(place: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["ledger", "check", place],
        vec!["ledger", "backup", "it.backup", "--ledger", place],
        vec!["ledger", "copy", place, "copy.db"],
        vec!["events", "read", "--ledger", place],
        vec!["events", "tail", "--ledger", place],
        vec!["events", "streams", "--ledger", place],
        vec!["events", "export", "it.ndjson", "--ledger", place],
        vec!["events", "snapshot", "a-1", "--ledger", place],
        vec!["events", "truncate", "a-1", "--before", "2", "--yes", "--ledger", place],
        vec!["events", "delete", "a-1", "--yes", "--ledger", place],
        vec!["events", "forget", "ada", "--yes", "--ledger", place],
        vec!["events", "adopt-keys", "--yes", "--ledger", place],
    ]
}

#[test]
fn what_reads_a_ledger_in_postgresql_makes_none() {
    let world = World::empty();
    let (database, place) = (Database::shared(), Database::shared().url("never_made"));
    for reader in readers(&place) {
        let outcome = world.fairway(&reader);
        assert_eq!(outcome.code, 1, "{reader:?}: {outcome}");
        let told = outcome.stderr.starts_with("error: there is no ledger at `postgres://postgres@");
        assert!(told && outcome.stderr.contains("schema=never_made"), "{reader:?}: {outcome}");
    }
    let made = "SELECT count(*) FROM pg_namespace WHERE nspname = 'never_made'";
    assert_eq!(database.ask(made).as_deref(), Some("0"));
    assert!(!world.fleet().join("copy.db").exists());
}

#[test]
fn a_file_without_anything_in_it_is_no_ledger() {
    let world = World::empty();
    world.write("empty.db", "");
    assert_outcome!(world.fairway(&["ledger", "check", "empty.db"]), @r"
    exit 1
    --- stderr
    error: there is no ledger at `[DIR]/fleet/empty.db`
      caused by: the file is empty: what was to make a ledger of it did not
    ");
    for reader in readers("empty.db") {
        let outcome = world.fairway(&reader);
        assert_eq!(outcome.code, 1, "{reader:?}: {outcome}");
        assert!(outcome.stderr.contains("there is no ledger at `"), "{reader:?}: {outcome}");
    }
    assert_eq!(fs::metadata(world.fleet().join("empty.db")).unwrap().len(), 0);
}

#[test]
fn the_place_of_a_ledger_that_was_moved_can_be_used_as_it_is_shown() {
    let world = World::empty();
    let (from, to) = ("one.db", Database::shared().url("shown_again"));
    fill(&world.fleet().join(from).display().to_string());
    let moved = world.fairway(&["ledger", "copy", from, &to, "--switch"]).passed();
    let (_, shown) = moved.stderr.split_once("is at `").unwrap();
    let (shown, _) = shown.split_once('`').unwrap();
    let checked = world.fairway(&["ledger", "check", shown]).passed();
    assert_eq!(checked.stderr, "nothing is wrong up to position 62\n");
    let refused = world.fairway(&["events", "append", "a-1", "b", "--ledger", from]);
    assert!(refused.stderr.contains("?schema=shown_again"), "{refused}");
}
