//! `fairway events`.

use crate::{
    outcome::{Outcome, assert_outcome},
    world::{World, until},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

const ID: &str = "11111111-2222-4333-8444-555555555555";

/// A world with an order that is paid.
fn shop() -> World {
    let world = World::empty();
    let created = ["events", "append", "orders-1", "order-created", r#"{"total":12.50}"#];
    world.fairway(&created).passed();
    world.fairway(&["events", "append", "orders-1", "order-paid", "--id", ID]).passed();
    world
}

#[test]
fn events_are_appended_and_read() {
    let world = shop();
    let append = ["events", "append", "orders-2", "order-created", "--expected", "none"];
    assert_outcome!(world.fairway(&append), @r"
    exit 0
    --- stdout
    orders-2@1 at position 3
    ");
    assert_outcome!(world.fairway(&["events", "read"]), @r#"
    exit 0
    --- stdout
    1  [MOMENT]  orders-1@1  order-created  {"total":12.50}
    2  [MOMENT]  orders-1@2  order-paid  {}
    3  [MOMENT]  orders-2@1  order-created  {}
    "#);
    assert_outcome!(world.fairway(&["events", "read", "orders-1", "--backwards", "-n", "1"]), @r"
    exit 0
    --- stdout
    2  [MOMENT]  orders-1@2  order-paid  {}
    ");
    assert_outcome!(world.fairway(&["events", "read", "--kind", "order-c", "--after", "1"]), @r"
    exit 0
    --- stdout
    3  [MOMENT]  orders-2@1  order-created  {}
    ");
    let read = ["events", "read", "orders-1", "--after", "1", "-o", "json"];
    assert_outcome!(world.fairway(&read), @r#"
    exit 0
    --- stdout
    {"position":2,"stream":"orders-1","version":2,"id":"11111111-2222-4333-8444-[DIGEST]","kind":"order-paid","recorded":"[MOMENT]","data":{},"metadata":{}}
    "#);
    let append = ["events", "append", "orders-2", "order-paid", "-o", "json"];
    assert_outcome!(world.fairway(&append), @r#"
    exit 0
    --- stdout
    {"position":4,"stream":"orders-2","version":2}
    "#);
}

#[test]
fn an_append_that_is_not_as_expected_says_what_to_do() {
    let world = shop();
    let append = ["events", "append", "orders-1", "order-shipped", "--expected", "1"];
    assert_outcome!(world.fairway(&append), @r"
    exit 1
    --- stderr
    error: could not append
      caused by: stream `orders-1` has version 2, which is not as expected
      hint: `fairway events read orders-1` shows what is there; to append after it: `--expected 2`
    ");
    assert_outcome!(world.fairway(&["events", "append", "orders-1", "x", "--expected", "none"]), @r"
    exit 1
    --- stderr
    error: could not append
      caused by: stream `orders-1` has version 2, which is not as expected
      hint: `fairway events read orders-1` shows what is there; to append after it: `--expected 2`
    ");
    assert_outcome!(world.fairway(&["events", "append", "orders-1", "x", "--expected", "some"]), @r"
    exit 2
    --- stderr
    error: invalid value 'some' for '--expected <VERSION>': use `any`, `none`, `exists`, or a version

    For more information, try '--help'.
    ");
    // The same event again is a retry.
    assert_outcome!(world.fairway(&["events", "append", "orders-1", "order-paid", "--id", ID]), @r"
    exit 0
    --- stdout
    orders-1@2 at position 2
    ");
}

#[test]
fn what_is_no_event_is_refused() {
    let world = shop();
    assert_outcome!(world.fairway(&["events", "append", "orders-1", "x", "paid"]), @r#"
    exit 2
    --- stderr
    error: the data have to be JSON
      caused by: an event's data and metadata have to be JSON
      caused by: expected value at line 1 column 1
      hint: text in JSON has quotes: '"paid"'; see `--bytes` for more
    "#);
    assert_outcome!(world.fairway(&["events", "append", "../orders", "x"]), @r"
    exit 2
    --- stderr
    error: invalid value '../orders' for '[STREAM]': `.` is not allowed there in the name of a stream

    For more information, try '--help'.
    ");
    assert_outcome!(world.fairway(&["events", "append", "orders-1"]), @r"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      <KIND>

    Usage: fairway events append <STREAM> <KIND> [DATA]

    For more information, try '--help'.
    ");
    let metadata = ["events", "append", "orders-1", "x", "--metadata", "[1]"];
    assert_outcome!(world.fairway(&metadata), @r"
    exit 2
    --- stderr
    error: the metadata have to be a JSON object
    ");
    assert_outcome!(world.fairway(&["events", "read", "orders-7"]), @r"
    exit 1
    --- stderr
    error: there is no stream `orders-7`
      hint: `fairway events streams` lists them
    ");
    assert_outcome!(world.fairway(&["events", "read", "--ledger", "nowhere.db"]), @r"
    exit 1
    --- stderr
    error: there is no ledger at `[DIR]/fleet/nowhere.db`
    ");
}

#[test]
fn data_and_metadata_come_as_they_are() {
    let world = World::empty();
    let bytes = ["events", "append", "scans-1", "scanned", "-", "--bytes"];
    world.fairway_with(&bytes, "\u{0}abc").passed();
    let about = ["--metadata", r#"{"by":"ann"}"#, "--correlation", "c1", "--causation", "e7"];
    let append = ["events", "append", "scans-1", "read", "-"];
    world.fairway_with(&[&append[..], &about].concat(), "{\n \"page\": 1\n}\n").passed();
    assert_outcome!(world.fairway(&["events", "read"]), @r#"
    exit 0
    --- stdout
    1  [MOMENT]  scans-1@1  scanned  <4 bytes>
    2  [MOMENT]  scans-1@2  read  {  "page": 1 }
    "#);
    assert_outcome!(world.fairway(&["events", "read", "-o", "json"]), @r#"
    exit 0
    --- stdout
    {"position":1,"stream":"scans-1","version":1,"id":"[ID]","kind":"scanned","recorded":"[MOMENT]","data_base64":"AGFiYw==","metadata":{}}
    {"position":2,"stream":"scans-1","version":2,"id":"[ID]","kind":"read","recorded":"[MOMENT]","data_text":"{\n \"page\": 1\n}","metadata":{"$causationId":"e7","$correlationId":"c1","by":"ann"}}
    "#);
}

#[test]
fn a_file_is_appended_to_all_its_streams_or_to_none() {
    let world = shop();
    let file = "{\"kind\":\"a\"}\n\n{\"kind\":\"b\",\"data\":[1]}\n";
    let append = ["events", "append", "items-1", "--file", "-", "--expected", "none"];
    assert_outcome!(world.fairway_with(&append, file), @r"
    exit 0
    --- stdout
    items-1@2 at position 4
    ");
    assert_outcome!(world.fairway_with(&append, file), @r"
    exit 1
    --- stderr
    error: could not append
      caused by: stream `items-1` has version 2, which is not as expected
      hint: `fairway events read items-1` shows what is there; to append after it: `--expected 2`
    ");
    let file = "{\"kind\":\"a\",\"stream\":\"items-2\"}\n{\"kind\":\"b\",\"stream\":\"items-3\"}\n";
    assert_outcome!(world.fairway_with(&["events", "append", "--file", "-"], file), @r"
    exit 0
    --- stdout
    items-2@1 at position 5
    items-3@1 at position 6
    ");
    assert_outcome!(world.fairway_with(&["events", "append", "items-3", "--file", "-"], file), @r"
    exit 1
    --- stderr
    error: line 1 of standard input cannot be appended
      caused by: it is of stream `items-2`
    ");
    assert_outcome!(world.fairway_with(&["events", "append", "--file", "-"], "{\"kind\":\"a\"}"), @r"
    exit 1
    --- stderr
    error: line 1 of standard input cannot be appended
      caused by: it names no stream
    ");
    assert_outcome!(world.fairway_with(&["events", "append", "--file", "-"], "\n"), @r"
    exit 1
    --- stderr
    error: there is no event in `-`
    ");
}

#[test]
fn what_the_ledger_alone_writes_nobody_else_does() {
    let world = shop();
    for arguments in [
        ["append", "$group-all:x", "group-created"],
        ["append", "$$$subjects", "$metadata"],
        ["delete", "$subjects", "--yes"],
        ["truncate", "$read-model-x", "--before=2"],
    ] {
        let refused = world.fairway(&[&["events"], arguments.as_slice()].concat());
        let told = format!("error: `{}` is written by the ledger alone\n", arguments[1]);
        assert_eq!((refused.code, refused.stderr), (1, told));
    }
    let line = r#"{"kind":"a","stream":"$group-all:x"}"#;
    assert_outcome!(world.fairway_with(&["events", "import", "-"], line), @r"
    exit 1
    --- stderr
    0 events imported
    error: line 1 of standard input cannot be appended
      caused by: `$group-all:x` is written by the ledger alone
      hint: `fairway ledger copy` takes all of a ledger elsewhere
    ");
    // What is about a stream of somebody is theirs.
    world.fairway(&["events", "append", "$$items-1", "$metadata"]).passed();
}

#[test]
fn streams_are_listed_truncated_and_deleted() {
    let world = shop();
    world.fairway(&["events", "append", "items-1", "made"]).passed();
    assert_outcome!(world.fairway(&["events", "truncate", "orders-1", "--before", "2"]), @r"
    exit 2
    --- stderr
    error: `events truncate` asks first, and nobody is there to answer
      hint: add `--yes`
    ");
    assert_outcome!(world.fairway(&["events", "truncate", "orders-1", "--before", "2", "-y"]), @r"
    exit 0
    --- stderr
    `orders-1` begins with version 2
    ");
    assert_outcome!(world.fairway(&["events", "delete", "items-1", "--tombstone", "--yes"]), @r"
    exit 0
    --- stderr
    `items-1` is deleted
    ");
    assert_outcome!(world.fairway(&["events", "streams"]), @r"
    exit 0
    --- stdout
    STREAM  VERSION  EVENTS  STANDING
    items-1  1  0  tombstoned
    orders-1  2  1  live
    ");
    assert_outcome!(world.fairway(&["events", "streams", "-n", "1"]), @r"
    exit 0
    --- stdout
    STREAM  VERSION  EVENTS  STANDING
    items-1  1  0  tombstoned
    --- stderr
    there are more; go on with `--after items-1`
    ");
    assert_outcome!(world.fairway(&["events", "streams", "$$", "-o", "json"]), @r#"
    exit 0
    --- stdout
    {"standing":"live","stream":"$$items-1","truncated":0,"version":1}
    {"standing":"live","stream":"$$orders-1","truncated":0,"version":1}
    "#);
    assert_outcome!(world.fairway(&["events", "read", "items-1"]), @r"
    exit 1
    --- stderr
    error: stream `items-1` is deleted for ever
    ");
    assert_outcome!(world.fairway(&["events", "append", "items-1", "made"]), @r"
    exit 1
    --- stderr
    error: could not append
      caused by: stream `items-1` has a tombstone, so nothing can be appended to it
    ");
    assert_outcome!(world.fairway(&["events", "read", "--all"]), @r#"
    exit 0
    --- stdout
    2  [MOMENT]  orders-1@2  order-paid  {}
    4  [MOMENT]  $$orders-1@1  $metadata  {"$tb":1}
    5  [MOMENT]  $$items-1@1  $streamDeleted  {}
    "#);
    assert_outcome!(world.fairway(&["events", "snapshot", "orders-1"]), @r"
    exit 1
    --- stderr
    error: stream `orders-1` has no such snapshot
    ");
}

#[test]
fn a_ledger_is_read_as_of_a_position_and_of_a_time() {
    let world = shop();
    let read = |as_of: &str| world.fairway(&["events", "read", "--as-of", as_of]);
    assert_outcome!(read("1"), @r#"
    exit 0
    --- stdout
    1  [MOMENT]  orders-1@1  order-created  {"total":12.50}
    "#);
    assert_outcome!(read("2000-01-01T00:00:00Z"), @r"
    exit 0
    --- stderr
    no such events
    ");
    assert_outcome!(read("yesterday"), @r"
    exit 2
    --- stderr
    error: invalid value 'yesterday' for '--as-of <POSITION|TIME>': use a position, or a time such as `[MOMENT]` (RFC 3339)

    For more information, try '--help'.
    ");
    assert_eq!(read("2200-01-01T00:00:00+01:00").passed().stdout.lines().count(), 2);
}

#[test]
fn a_tail_shows_what_comes_until_it_is_stopped() {
    let world = shop();
    let mut tail = world.program(&["events", "tail", "--category", "orders", "--after", "1"]);
    let mut tail = tail.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().contains("orders-1@2  order-paid"));
    world.fairway(&["events", "append", "items-1", "made"]).passed();
    world.fairway(&["events", "append", "orders-2", "order-created"]).passed();
    assert!(lines.next().unwrap().contains("orders-2@1  order-created"));
    let pid = Pid::from_raw(tail.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    assert!(until("the end", || tail.try_wait().unwrap()).success());
    let since = world.fairway(&["events", "tail", "orders-1", "--since", "1h", "-n", "2"]).passed();
    assert_eq!(since.stdout.lines().count(), 2, "{since}");
    let bad = world.fairway(&["events", "tail", "--since", "tomorrow"]);
    assert_eq!(bad.code, 2, "{bad}");
}

#[test]
fn an_exported_ledger_is_imported_without_loss() {
    let world = shop();
    world.fairway_with(&["events", "append", "scans-1", "scanned", "-", "--bytes"], "abc").passed();
    world.fairway_with(&["events", "append", "scans-1", "read", "-"], "{\n\"a\": 1.10}").passed();
    assert_outcome!(world.fairway(&["events", "export", "all.ndjson"]), @r"
    exit 0
    --- stderr
    4 events up to position 4 in `all.ndjson`
    ");
    let import = |arguments: &[&str]| {
        let import = ["events", "import", "all.ndjson", "--ledger", "other.db"];
        world.fairway(&[&import[..], arguments].concat())
    };
    assert_outcome!(import(&[]), @r"
    exit 0
    --- stderr
    4 events imported
    ");
    assert_outcome!(import(&[]), @r"
    exit 0
    --- stderr
    0 events imported, 4 were there already
    ");
    let exported = |arguments: &[&str]| -> String {
        let outcome: Outcome = world.fairway(&[&["events", "export", "-"][..], arguments].concat());
        let lines = outcome.passed().stdout;
        let lines = lines.lines().map(|line| line.split_once("\"recorded\":").unwrap());
        lines.map(|(before, after)| before.to_owned() + &after[26..] + "\n").collect()
    };
    assert_eq!(exported(&["--ledger", "other.db"]), exported(&[]));
    assert_eq!(exported(&["--stream", "orders-1", "--after", "1"]).lines().count(), 1);
    assert_eq!(exported(&["--category", "scans"]).lines().count(), 2);
}

#[test]
fn an_import_ends_at_the_first_line_that_is_wrong() {
    let world = World::empty();
    let import = |text: &str, arguments: &[&str]| {
        world.fairway_with(&[&["events", "import", "-"][..], arguments].concat(), text)
    };
    let line =
        |version: u64| format!("{{\"stream\":\"a-1\",\"version\":{version},\"kind\":\"k\"}}\n");
    assert_outcome!(import(&(line(1) + "\n{\"kind\":}\n" + &line(2)), &[]), @r"
    exit 1
    --- stderr
    1 event imported
    error: line 3 of standard input cannot be appended
      caused by: this is not an event
      caused by: expected value at line 1 column 9
    ");
    assert_outcome!(import(&(line(1) + &line(3) + &line(2)), &[]), @r"
    exit 1
    --- stderr
    0 events imported, 1 was there already
    error: line 2 of standard input cannot be appended
      caused by: stream `a-1` has version 1, so its next event cannot be version 3
      hint: `--renumber` appends the events with versions of their own
    ");
    assert_outcome!(import(&(line(2) + &line(4)), &["--renumber", "-o", "json"]), @r#"
    exit 0
    --- stdout
    {"imported":2,"present":0}
    "#);
    let other = "{\"stream\":\"a-1\",\"version\":2,\"kind\":\"other\"}\n";
    assert_outcome!(import(other, &[]), @r"
    exit 1
    --- stderr
    0 events imported
    error: line 1 of standard input cannot be appended
      caused by: stream `a-1` has another event of version 2 already
      hint: `--renumber` appends the events with versions of their own
    ");
    assert_outcome!(world.fairway(&["events", "streams"]), @r"
    exit 0
    --- stdout
    STREAM  VERSION  EVENTS  STANDING
    a-1  3  3  live
    ");
}
