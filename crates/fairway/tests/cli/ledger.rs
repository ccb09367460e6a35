//! `fairway ledger backup`, `restore` and `check`.

use crate::{
    database::Database,
    ledger_content::{Storm, assert_kept, content, ledger, runtime},
    outcome::{Outcome, assert_outcome},
    seed::{random, seed},
    world::World,
};
use fairway_ledger::{Clock, Data, Expected, Json, NewEvent, Retention, StreamName, Version};
use std::{fs, os::unix::fs::FileExt, path::PathBuf, process::Stdio, thread, time::Duration};

/// How many backups are killed, and after how long at most.
const KILLS: u64 = 10;
const KILL_MAX_MILLIS: u64 = 40;

fn events_db(world: &World) -> String {
    world.home().join("events.db").display().to_string()
}

fn path(world: &World, name: &str) -> PathBuf {
    world.fleet().join(name)
}

/// A ledger with something of everything.
pub fn fill(place: &str) {
    runtime().block_on(async {
        let ledger = ledger(place).await;
        let stream = |name: &str| -> StreamName { name.parse().unwrap() };
        let event = |number: u64| NewEvent::new("counted", &number).unwrap();
        for name in ["kept-1", "kept-2", "truncated-1", "deleted-1", "again-1", "closed-1"] {
            let events = (0..9).map(event).collect();
            ledger.append(&stream(name), Expected::NoStream, events).await.unwrap();
        }
        let given = event(7).with_id("11111111-2222-4333-8444-555555555555".parse().unwrap());
        let bytes = NewEvent { data: Data::Bytes(vec![0, 255]), ..event(8) };
        ledger.append(&stream("kept-3"), Expected::Any, vec![given, bytes]).await.unwrap();
        for (name, retention) in [
            ("truncated-1", Retention::Truncated(Version(4))),
            ("deleted-1", Retention::Deleted),
            ("again-1", Retention::Deleted),
            ("closed-1", Retention::Tombstoned),
            ("never-1", Retention::Tombstoned),
        ] {
            ledger.retain(&stream(name), Expected::Any, retention).await.unwrap();
        }
        ledger.append(&stream("again-1"), Expected::Any, vec![event(9)]).await.unwrap();
        let state = || Data::from(Json::of(&1).unwrap());
        for version in [3, 9] {
            let saved = ("state-v1".parse().unwrap(), state());
            ledger.save_snapshot(&stream("kept-1"), Version(version), saved).await.unwrap();
        }
    });
}

fn filled() -> World {
    let world = World::empty();
    fs::create_dir_all(world.home()).unwrap();
    fill(&events_db(&world));
    world
}

#[test]
fn a_backup_is_restored_with_everything() {
    let world = filled();
    assert_outcome!(world.fairway(&["ledger", "backup", "it.backup"]), @r"
    exit 0
    --- stderr
    all up to position 62 is in `it.backup`, 69632 bytes
    ");
    assert_outcome!(world.fairway(&["ledger", "backup", "it.backup"]), @r"
    exit 2
    --- stderr
    error: `ledger backup` asks first, and nobody is there to answer
      hint: add `--yes`
    ");
    world.fairway(&["ledger", "backup", "it.backup", "--yes"]).passed();
    assert_outcome!(world.fairway(&["ledger", "restore", "it.backup", "--to", "new.db"]), @r"
    exit 0
    --- stderr
    ledger `[DIR]/fleet/new.db` has all up to position 62
    ");
    let place = path(&world, "new.db").display().to_string();
    assert_eq!(content(&place), content(&events_db(&world)));
    world.fairway(&["events", "append", "kept-1", "more", "--ledger", "new.db"]).passed();
    assert_outcome!(world.fairway(&["ledger", "restore", "it.backup", "--to", "new.db"]), @r"
    exit 2
    --- stderr
    error: `ledger restore` asks first, and nobody is there to answer
      hint: add `--yes`
    ");
    world.fairway(&["ledger", "restore", "it.backup", "--to", "new.db", "--yes"]).passed();
    assert_eq!(content(&place), content(&events_db(&world)));
    assert_outcome!(world.fairway(&["ledger", "check", "new.db", "-o", "json"]), @r#"
    exit 0
    --- stdout
    {"faults":[],"position":62}
    --- stderr
    nothing is wrong up to position 62
    "#);
    let snapshot = |arguments: &[&str]| {
        let snapshot = ["events", "snapshot", "kept-1", "--ledger", "new.db"];
        world.fairway(&[&snapshot[..], arguments].concat())
    };
    assert_outcome!(snapshot(&[]), @r"
    exit 0
    --- stdout
    kept-1@9  [MOMENT]  state-v1  1
    ");
    assert_outcome!(snapshot(&["--at", "8", "-o", "json"]), @r#"
    exit 0
    --- stdout
    {"data":1,"kind":"state-v1","recorded":"[MOMENT]","stream":"kept-1","version":3}
    "#);
    assert_outcome!(world.fairway(&["ledger", "restore", "nothing"]), @r"
    exit 1
    --- stderr
    error: there is no ledger at `[DIR]/fleet/nothing`
    ");
}

#[test]
fn a_ledger_in_use_is_not_replaced() {
    let world = filled();
    world.fairway(&["ledger", "backup", "it.backup"]).passed();
    let place = events_db(&world);
    let used = fairway_ledger::Ledger::open_with(place.as_ref(), Clock::system()).unwrap();
    runtime().block_on(used.head()).unwrap();
    assert_outcome!(world.fairway(&["ledger", "restore", "it.backup", "--yes"]), @r"
    exit 1
    --- stderr
    error: could not replace `[DIR]/home/events.db`
      caused by: ledger `[DIR]/home/events.db` is kept busy by another process
      hint: end the programs that have it open
    ");
    drop(used);
    world.fairway(&["ledger", "check"]).passed();
}

#[test]
fn a_backup_is_of_one_moment_though_others_write() {
    let world = filled();
    let place = events_db(&world);
    let storm = Storm::begin(&place);
    for number in 0..5 {
        let name = format!("{number}.backup");
        let said = world.fairway(&["ledger", "backup", &name, "-o", "json"]).passed().json();
        let backup = content(&path(&world, &name).display().to_string());
        assert_eq!(said["position"], backup.head.0);
        world.fairway(&["ledger", "check", &name]).passed();
    }
    let acknowledged = storm.end();
    let now = content(&place);
    assert_kept(&now, &acknowledged);
    let last = content(&path(&world, "4.backup").display().to_string());
    assert!(last.head > content(&path(&world, "0.backup").display().to_string()).head);
    assert_eq!(now.events[..last.events.len()], last.events);
}

#[test]
fn a_backup_of_a_ledger_in_postgresql_is_a_file() {
    let world = World::empty();
    let url = Database::shared().url("backup_of_one");
    fill(&url);
    let storm = Storm::begin(&url);
    world.fairway(&["ledger", "backup", "busy", "--ledger", &url]).passed();
    let acknowledged = storm.end();
    let now = content(&url);
    assert_kept(&now, &acknowledged);
    let busy = content(&path(&world, "busy").display().to_string());
    assert_eq!(now.events[..busy.events.len()], busy.events);
    fs::write(path(&world, "address"), &url).unwrap();
    world.fairway(&["ledger", "backup", "quiet", "--ledger", "@address"]).passed();
    assert_eq!(content(&path(&world, "quiet").display().to_string()), now);
    let other = Database::shared().url("backup_restored");
    world.fairway(&["ledger", "restore", "quiet", "--to", &other]).passed();
    assert_eq!(content(&other), now);
    world.fairway(&["ledger", "check", &other]).passed();
    world.fairway(&["events", "append", "kept-1", "more", "--ledger", &other]).passed();
    let again = world.fairway(&["ledger", "restore", "quiet", "--to", &other]);
    assert_eq!(again.code, 1, "{again}");
    assert!(again.stderr.contains("has events already"), "{again}");
}

#[test]
fn a_file_without_an_address_names_no_ledger_and_is_not_shown() {
    let world = World::empty();
    fs::write(path(&world, "address"), "host=db user=ann password=s3cr3t dbname=e").unwrap();
    let refused = world.fairway(&["events", "append", "a-1", "made", "--ledger", "@address"]);
    let told = "error: `address` has no address that begins with `postgres://`\n";
    assert_eq!((refused.code, refused.stderr.as_str()), (2, told));
}

/// What a check says of a copy of the ledger with which something was done.
fn damaged(world: &World, sql: &str) -> Outcome {
    let copy = path(world, "damaged.db");
    drop(fs::remove_file(&copy));
    world.fairway(&["ledger", "backup", "damaged.db"]).passed();
    rusqlite::Connection::open(&copy).unwrap().execute_batch(sql).unwrap();
    world.fairway(&["ledger", "check", "damaged.db"])
}

#[test]
fn lost_events_are_named() {
    let world = filled();
    assert_outcome!(world.fairway(&["ledger", "check"]), @r"
    exit 0
    --- stderr
    nothing is wrong up to position 62
    ");
    let damage = |sql: &str| damaged(&world, sql);
    assert_outcome!(damage("DELETE FROM events WHERE position = 3"), @r"
    exit 1
    --- stdout
    stream `kept-1` lacks its event of version 3, which was not truncated
    --- stderr
    1 fault in `[DIR]/fleet/damaged.db`
    ");
    assert_outcome!(damage("DELETE FROM events WHERE position = 1"), @r"
    exit 1
    --- stdout
    stream `kept-1` lacks its event of version 1, which was not truncated
    --- stderr
    1 fault in `[DIR]/fleet/damaged.db`
    ");
    assert_outcome!(damage("DELETE FROM events WHERE position = 62"), @r"
    exit 1
    --- stdout
    stream `again-1` lacks its event of version 10, which was not truncated
    --- stderr
    1 fault in `[DIR]/fleet/damaged.db`
    ");
    assert_outcome!(damage("UPDATE events SET version = 20 WHERE position = 3"), @r"
    exit 1
    --- stdout
    stream `kept-1` is noted with version 9, its last event has version 20
    stream `kept-1` lacks its event of version 3, which was not truncated
    --- stderr
    2 faults in `[DIR]/fleet/damaged.db`
    ");
    assert_outcome!(damage("UPDATE streams SET version = 8 WHERE name = 'kept-1'"), @r"
    exit 1
    --- stdout
    stream `kept-1` is noted with version 8, its last event has version 9
    a snapshot of stream `kept-1` is of version 9, which is not there
    --- stderr
    2 faults in `[DIR]/fleet/damaged.db`
    ");
}

#[test]
fn changed_events_are_named() {
    let world = filled();
    let damage = |sql: &str| damaged(&world, sql);
    assert_outcome!(damage("UPDATE events SET data = '{' WHERE position = 3"), @r"
    exit 1
    --- stdout
    data of event 3 are not JSON
    --- stderr
    1 fault in `[DIR]/fleet/damaged.db`
    ");
    assert_outcome!(damage("UPDATE events SET recorded = 7 WHERE position = 3"), @r"
    exit 1
    --- stdout
    event 3 is recorded earlier than the one before it
    --- stderr
    1 fault in `[DIR]/fleet/damaged.db`
    ");
    assert_outcome!(damage("UPDATE events SET stream = 99 WHERE position = 9"), @r"
    exit 1
    --- stdout
    stream `kept-1` is noted with version 9, its last event has version 8
    event 9 does not belong to a stream and its category
    --- stderr
    2 faults in `[DIR]/fleet/damaged.db`
    ");
    assert_outcome!(damage("UPDATE snapshots SET version = 10 WHERE version = 9"), @r"
    exit 1
    --- stdout
    a snapshot of stream `kept-1` is of version 10, which is not there
    --- stderr
    1 fault in `[DIR]/fleet/damaged.db`
    ");
    assert_outcome!(damage("INSERT INTO projections (name, version, position) VALUES ('p', 1, 99)"), @r"
    exit 1
    --- stdout
    projection `p` is at position 99, after the last event
    --- stderr
    1 fault in `[DIR]/fleet/damaged.db`
    ");
    assert_outcome!(damage("DROP INDEX events_by_id; UPDATE events SET id = zeroblob(16) WHERE stream = 1"), @r"
    exit 1
    --- stdout
    event 9 has the id of an earlier event of its stream
    --- stderr
    1 fault in `[DIR]/fleet/damaged.db`
    ");
}

#[test]
fn what_is_wrong_in_postgresql_is_named() {
    let world = World::empty();
    let database = Database::shared();
    let check = |schema: &str, sql: &str| {
        let url = database.url(schema);
        fill(&url);
        world.fairway(&["ledger", "check", &url]).passed();
        database.change(schema, sql);
        let checked = world.fairway(&["ledger", "check", &url]);
        assert_eq!(checked.code, 1, "{checked}");
        checked.stdout
    };
    let lost = check("lost", "DELETE FROM events WHERE position = 3");
    insta::assert_snapshot!(lost, @r"
    stream `kept-1` lacks its event of version 3, which was not truncated
    ");
    let changed =
        check("changed", "UPDATE events SET version = 20, recorded = 7 WHERE position = 3");
    insta::assert_snapshot!(changed, @r"
    stream `kept-1` lacks its event of version 3, which was not truncated
    event 3 is recorded earlier than the one before it
    ");
    let text = check("text", "UPDATE events SET data = '{', stream = 99 WHERE position = 9");
    insta::assert_snapshot!(text, @r"
    data of event 9 are not JSON
    event 9 does not belong to a stream and its category
    a snapshot of stream `kept-1` is of version 9, which is not there
    ");
    let about = check(
        "about",
        "UPDATE snapshots SET version = 10 WHERE version = 9;
         INSERT INTO projections (name, version, position) VALUES ('p', 1, 99)",
    );
    insta::assert_snapshot!(about, @r"
    a snapshot of stream `kept-1` is of version 10, which is not there
    projection `p` is at position 99, after the last event
    ");
}

#[test]
fn a_backup_that_is_killed_is_whole_or_not_there() {
    let world = filled();
    let seed = seed();
    let mut whole = 0;
    for number in 0..KILLS {
        let name = format!("{number}.backup");
        let mut backup = world.program(&["ledger", "backup", &name]);
        let mut backup = backup.stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(random(seed, number) % KILL_MAX_MILLIS));
        backup.kill().unwrap();
        backup.wait().unwrap();
        if path(&world, &name).exists() {
            world.fairway(&["ledger", "check", &name]).passed();
            whole += 1;
        }
        world.fairway(&["ledger", "backup", &name, "--yes"]).passed();
        let left = fs::read_dir(world.fleet()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> =
            left.filter(|name| name.to_string_lossy().contains("unfinished")).collect();
        assert!(left.is_empty(), "seed {seed}: {left:?}");
    }
    assert!(whole < KILLS, "seed {seed}: some were killed in the middle");
}

#[test]
fn a_damaged_page_is_found_and_not_backed_up() {
    let world = filled();
    world.fairway(&["ledger", "backup", "damaged.db"]).passed();
    let file = fs::OpenOptions::new().write(true).open(path(&world, "damaged.db")).unwrap();
    let pages = file.metadata().unwrap().len() / 4096;
    for page in 3..pages {
        file.write_all_at(&[0x5a; 64], page * 4096 + 8).unwrap();
    }
    let checked = world.fairway(&["ledger", "check", "damaged.db"]);
    assert_eq!(checked.code, 1, "{checked}");
    let backup = ["ledger", "backup", "second", "--ledger", "damaged.db"];
    let refused = world.fairway(&backup);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(!path(&world, "second").exists() && !path(&world, "second.unfinished").exists());
    fs::write(path(&world, "text"), "this is text\n".repeat(1000)).unwrap();
    assert_outcome!(world.fairway(&["ledger", "check", "text"]), @r"
    exit 1
    --- stderr
    error: could not open the ledger `[DIR]/fleet/text`
      caused by: `[DIR]/fleet/text` is damaged or is not a ledger
      caused by: file is not a database
      caused by: Error code 26: file is not a database
    ");
    assert_outcome!(world.fairway(&["ledger", "restore", "text", "--to", "new.db"]), @r"
    exit 1
    --- stderr
    error: could not copy `[DIR]/fleet/text`
      caused by: `[DIR]/fleet/text` is damaged or is not a ledger
      caused by: file is not a database
      caused by: Error code 26: file is not a database
    ");
}

/// A disk failed under a ledger that was killed: what is left of it is replaced.
#[test]
fn a_damaged_ledger_is_restored() {
    let world = filled();
    world.fairway(&["ledger", "backup", "it.backup"]).passed();
    let whole = content(&events_db(&world));
    fs::write(events_db(&world), "this is text\n".repeat(1000)).unwrap();
    fs::write(events_db(&world) + "-wal", "and so is this").unwrap();
    assert_outcome!(world.fairway(&["ledger", "restore", "it.backup"]), @r"
    exit 2
    --- stderr
    error: `ledger restore` asks first, and nobody is there to answer
      hint: add `--yes`
    ");
    world.fairway(&["ledger", "restore", "it.backup", "--yes"]).passed();
    assert_eq!(content(&events_db(&world)), whole);
    let ledger = events_db(&world);
    assert_outcome!(world.fairway(&["ledger", "backup", &ledger, "--yes"]), @r"
    exit 2
    --- stderr
    error: the backup is the ledger itself
    ");
}

#[test]
fn a_copy_that_has_more_than_a_backup_is_no_place_for_it() {
    let world = filled();
    let url = Database::shared().url("has_more");
    world.fairway(&["ledger", "backup", "it.backup"]).passed();
    world.fairway(&["events", "append", "kept-1", "more"]).passed();
    world.fairway(&["ledger", "copy", &events_db(&world), &url]).passed();
    let refused = world.fairway(&["ledger", "restore", "it.backup", "--to", &url]);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("has events already"), "{refused}");
    world.fairway(&["ledger", "copy", &events_db(&world), &url]).passed();
}
