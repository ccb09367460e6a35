//! `fairway ledger copy`, and imports, between files and PostgreSQL, under writers and with kills.

use crate::{
    database::Database,
    ledger::fill,
    ledger_content::{Content, Storm, assert_kept, content, runtime},
    outcome::assert_outcome,
    seed::{random, seed},
    world::{World, until},
};
use fairway_ledger::{Expected, NewEvent, StreamName};
use rusqlite::{Connection, OpenFlags};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

/// How many copies are killed, and after how long at most.
const KILLS: u64 = 12;
const KILL_MAX_MILLIS: u64 = 150;
const EVENTS: u64 = 20_000;

fn place(world: &World, name: &str) -> String {
    world.fleet().join(name).display().to_string()
}

fn copy(world: &World, from: &str, to: &str, arguments: &[&str]) -> crate::outcome::Outcome {
    world.fairway(&[&["ledger", "copy", from, to][..], arguments].concat())
}

fn start(world: &World, arguments: &[&str]) -> Child {
    world.program(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Moves a ledger while others write to it, and fails if anything differs afterwards.
fn move_under_writers(world: &World, from: &str, to: &str) {
    let begin = content(from).head.0;
    let storm = Storm::begin(from);
    until("some events", || (content(from).head.0 > begin + 100).then_some(()));
    copy(world, from, to, &["--switch"]).passed();
    let acknowledged = storm.wait();
    assert!(acknowledged.len() > 50, "{} events", acknowledged.len());
    let (before, after) = (content(from), content(to));
    assert_kept(&after, &acknowledged);
    assert_eq!(before, after);
    world.fairway(&["ledger", "check", to]).passed();
    let append = ["events", "append", "kept-1", "more", "--ledger"];
    world.fairway(&[&append[..], &[to]].concat()).passed();
    let late = world.fairway(&[&append[..], &[from]].concat());
    assert!(late.code == 1 && late.stderr.contains("takes no appends"), "{late}");
}

#[test]
fn a_ledger_moves_from_a_file_to_postgresql_and_back_while_it_is_in_use() {
    let world = World::empty();
    let (file, back) = (place(&world, "one.db"), place(&world, "two.db"));
    let url = Database::shared().url("moved_to");
    fill(&file);
    move_under_writers(&world, &file, &url);
    move_under_writers(&world, &url, &back);
}

#[test]
fn a_copy_is_read_only_and_catches_up() {
    let world = World::empty();
    fill(&place(&world, "one.db"));
    assert_outcome!(copy(&world, "one.db", "two.db", &[]), @r"
    exit 0
    --- stderr
    `[DIR]/fleet/two.db` has all up to position 62
    ");
    let append = ["events", "append", "kept-1", "more", "--ledger"];
    assert_outcome!(world.fairway(&[&append[..], &["two.db"]].concat()), @r"
    exit 1
    --- stderr
    error: could not append
      caused by: ledger `[DIR]/fleet/two.db` takes no appends: it is at `[DIR]/fleet/one.db`
      hint: go on there: `--ledger [DIR]/fleet/one.db`
    ");
    world.fairway(&[&append[..], &["one.db"]].concat()).passed();
    let truncate = ["events", "truncate", "kept-2", "--before", "5", "--yes"];
    world.fairway(&[&truncate[..], &["--ledger", "one.db"]].concat()).passed();
    assert_outcome!(copy(&world, "one.db", "two.db", &["-o", "json"]), @r#"
    exit 0
    --- stdout
    {"moved":false,"place":"[DIR]/fleet/two.db","position":64}
    "#);
    assert_eq!(content(&place(&world, "one.db")), content(&place(&world, "two.db")));
    assert_outcome!(world.fairway(&["ledger", "check", "two.db"]), @r"
    exit 0
    --- stderr
    note: this ledger takes no appends: it is at `[DIR]/fleet/one.db`
    nothing is wrong up to position 64
    ");
    assert_outcome!(copy(&world, "one.db", "one.db", &[]), @r"
    exit 2
    --- stderr
    error: a ledger cannot be copied to itself
    ");
    assert_outcome!(copy(&world, "none.db", "two.db", &[]), @r"
    exit 1
    --- stderr
    error: there is no ledger at `[DIR]/fleet/none.db`
    ");
    fill(&place(&world, "other.db"));
    assert_outcome!(copy(&world, "one.db", "other.db", &[]), @r"
    exit 1
    --- stderr
    error: could not copy the ledger
      caused by: `[DIR]/fleet/other.db` has events of another ledger, or of its own
      hint: name a place without a ledger; another schema of a database is another place
    ");
    assert_outcome!(copy(&world, "one.db", "two.db", &["--switch"]), @r"
    exit 0
    --- stderr
    ledger `[DIR]/fleet/one.db` is at `[DIR]/fleet/two.db` now, with all up to position 64
    ");
    assert_outcome!(copy(&world, "one.db", "two.db", &["--switch"]), @r"
    exit 0
    --- stderr
    ledger `[DIR]/fleet/one.db` was moved to `[DIR]/fleet/two.db` before
    ");
    assert_outcome!(copy(&world, "one.db", "three.db", &["--switch"]), @r"
    exit 1
    --- stderr
    error: could not copy the ledger
      caused by: ledger `[DIR]/fleet/one.db` was moved to `[DIR]/fleet/two.db` already
    ");
}

#[test]
fn a_copy_that_follows_has_what_is_appended() {
    let world = World::empty();
    let (from, to) = (place(&world, "one.db"), Database::shared().url("followed"));
    fill(&from);
    let mut following = start(&world, &["ledger", "copy", &from, &to, "--follow"]);
    let caught_up = || until("the copy", || (content(&from) == content(&to)).then_some(()));
    until("a beginning", || (content(&to).head.0 > 0).then_some(()));
    caught_up();
    world.fairway(&["events", "append", "kept-1", "more", "--ledger", &from]).passed();
    world.fairway(&["events", "delete", "kept-2", "--yes", "--ledger", &from]).passed();
    caught_up();
    kill_process(Pid::from_child(&following), Signal::INT).unwrap();
    assert!(until("the end", || following.try_wait().unwrap()).success());
}

/// Appends many events at once.
fn many(place: &str) {
    runtime().block_on(async {
        let ledger = crate::ledger_content::ledger(place).await;
        for batch in 0..EVENTS / 1000 {
            let stream = StreamName::of("many", batch % 7).unwrap();
            let events = (0..1000).map(|number| NewEvent::new("one", &number).unwrap()).collect();
            ledger.append(&stream, Expected::Any, events).await.unwrap();
        }
    });
}

/// Starts a program again and again and kills it, then lets it come to its end.
fn kill_often(world: &World, arguments: &[&str]) {
    let seed = seed();
    for number in 0..KILLS {
        let mut child = start(world, arguments);
        thread::sleep(Duration::from_millis(random(seed, number) % KILL_MAX_MILLIS));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let outcome = world.fairway(arguments);
    assert_eq!(outcome.code, 0, "seed {seed}: {outcome}");
}

#[test]
fn a_move_that_is_killed_goes_on() {
    let world = World::empty();
    let (from, back) = (place(&world, "one.db"), place(&world, "two.db"));
    let url = Database::shared().url("killed_copy");
    fill(&from);
    many(&from);
    for (from, to) in [(&from, &url), (&url, &back)] {
        kill_often(&world, &["ledger", "copy", from, to, "--switch"]);
        let all: (Content, Content) = (content(from), content(to));
        assert_eq!(all.0, all.1);
        world.fairway(&["ledger", "check", to]).passed();
    }
}

#[test]
fn a_move_that_another_one_finishes_is_done() {
    let world = World::empty();
    let (from, to) = (place(&world, "one.db"), place(&world, "two.db"));
    many(&from);
    let mut slow = start(&world, &["ledger", "copy", &from, &to, "--switch"]);
    let pid = Pid::from_child(&slow);
    let events = || {
        let copy = Connection::open_with_flags(&to, OpenFlags::SQLITE_OPEN_READ_WRITE).ok()?;
        copy.busy_timeout(Duration::ZERO).unwrap();
        // Whoever stops in the middle of a write lets others wait.
        copy.execute_batch("BEGIN IMMEDIATE").ok()?;
        copy.query_one("SELECT count(*) > 0 FROM events", [], |row| row.get(0)).ok()
    };
    until("a part of the copy", || {
        kill_process(pid, Signal::STOP).unwrap();
        let has_some = events();
        if has_some != Some(true) {
            kill_process(pid, Signal::CONT).unwrap();
        }
        has_some.filter(|has_some| *has_some)
    });
    copy(&world, &from, &to, &["--switch"]).passed();
    kill_process(pid, Signal::CONT).unwrap();
    assert!(slow.wait().unwrap().success());
    let all: (Content, Content) = (content(&from), content(&to));
    assert_eq!(all.0, all.1);
    let late = world.fairway(&["events", "append", "a-1", "more", "--ledger", &from]);
    assert!(late.stderr.contains("takes no appends"), "{late}");
}

#[test]
fn an_import_that_is_killed_goes_on() {
    let world = World::empty();
    many(&place(&world, "one.db"));
    let export = |ledger: &str, file: &str| {
        world.fairway(&["events", "export", file, "--ledger", ledger]).passed();
        fs::read_to_string(place(&world, file)).unwrap()
    };
    let exported = export("one.db", "one.ndjson");
    let lines: Vec<&str> = exported.lines().collect();
    // Streams take turns, as they do in use.
    let mixed: Vec<&str> =
        (0..1000).flat_map(|number| lines.iter().skip(number).step_by(1000).copied()).collect();
    let mut versions = std::collections::HashMap::new();
    let in_order = mixed.iter().map(|line| {
        let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
        let version = versions.entry(event["stream"].to_string()).or_insert(0);
        *version += 1;
        event["version"] = (*version).into();
        event.to_string() + "\n"
    });
    let in_order: String = in_order.collect();
    fs::write(place(&world, "mixed.ndjson"), &in_order).unwrap();
    kill_often(&world, &["events", "import", "mixed.ndjson", "--ledger", "two.db"]);
    let ids = |text: &str| -> Vec<String> {
        let events = text.lines().map(serde_json::from_str::<serde_json::Value>);
        events.map(|event| event.unwrap()["id"].to_string()).collect()
    };
    assert_eq!(ids(&export("two.db", "two.ndjson")), ids(&in_order));
    world.fairway(&["ledger", "check", "two.db"]).passed();
}
