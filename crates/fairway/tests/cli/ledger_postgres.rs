//! `fairway ledger serve` of a ledger in PostgreSQL: what is served is the same as of a file.

use crate::{
    database::Database,
    ledger_clients::node,
    served::Served,
    web::ask,
    world::{World, until},
};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

/// Numbers that are counted twice are parked, because they are keys.
const NUMBERS: &str = "\
read-model: numbers
version: 1
from: { category: count }
tables: CREATE TABLE numbers (number INTEGER PRIMARY KEY)
on:
  counted: INSERT INTO numbers VALUES (:number)
queries:
  known: SELECT count(*) AS known FROM numbers
";

/// Serves a ledger with a read model of its numbers.
fn serve(world: &World, ledger: &str) -> Served {
    world.write("read-models/numbers.yaml", NUMBERS);
    Served::ledger(world, &["--ledger", ledger, "--read-models", "read-models"])
}

/// An event with a number, which has the same id each time.
fn counted(number: u64) -> Value {
    let id = format!("{number:08x}-0000-4000-8000-000000000000");
    json!({ "id": id, "kind": "counted", "data": { "number": number } })
}

fn number(event: &Value) -> Option<u64> {
    event["data"]["number"].as_u64()
}

/// A live reader of all numbers, which comes again after what it got when it is broken off.
struct Reader {
    url: String,
    last: Option<u64>,
    curl: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Reader {
    fn open(url: &str, last: Option<u64>) -> Self {
        let mut curl = Command::new("curl");
        curl.args(["-sN", "-H", "accept: text/event-stream"]);
        if let Some(last) = last {
            curl.args(["-H", &format!("last-event-id: {last}")]);
        }
        curl.arg(format!("{url}/v1/categories/count")).stdout(Stdio::piped());
        let mut curl = curl.spawn().unwrap();
        let lines = BufReader::new(curl.stdout.take().unwrap()).lines();
        Self { url: url.to_owned(), last, curl, lines }
    }

    /// The next event; nothing if it had to come again.
    fn next(&mut self) -> Option<Value> {
        while let Some(Ok(line)) = self.lines.next() {
            if let Some(id) = line.strip_prefix("id: ") {
                self.last = Some(id.parse().unwrap());
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return Some(serde_json::from_str(data).unwrap());
            }
        }
        *self = Self::open(&self.url, self.last);
        None
    }

    /// All numbers until the end is told.
    fn numbers(mut self) -> Vec<u64> {
        let mut numbers = Vec::new();
        while let Some(number) = number(&until("an event", || self.next())) {
            numbers.push(number);
        }
        numbers
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.curl.kill().ok();
        self.curl.wait().ok();
    }
}

/// Takes events from a group and acknowledges them until the end is told. The numbers as they came for
/// the first time.
fn consume(group: &str) -> Vec<u64> {
    let (mut numbers, mut seen) = (Vec::new(), HashSet::new());
    loop {
        let taken = until("events to take", || {
            let url = format!("{group}/take?consumer=a&limit=100&wait=1s");
            let (_, taken) = ask("POST", &url, &Value::Null);
            taken["events"].as_array().filter(|events| !events.is_empty()).cloned()
        });
        let events: Vec<&Value> = taken.iter().map(|taken| &taken["event"]).collect();
        let done: Vec<&Value> = events.iter().map(|event| &event["position"]).collect();
        let ack = json!({ "consumer": "a", "events": done });
        until("an acknowledgement", || {
            let (status, _) = ask("POST", &format!("{group}/ack"), &ack);
            (status == 200).then_some(())
        });
        for event in events {
            match number(event) {
                Some(number) if seen.insert(number) => numbers.push(number),
                Some(_) => {}
                None => return numbers,
            }
        }
    }
}

#[test]
fn a_ledger_in_postgresql_is_served_like_one_in_a_file() {
    let world = World::empty();
    let served = serve(&world, &Database::shared().url("served"));
    let url = &served.url;
    let (count, group) =
        (format!("{url}/v1/streams/count-1"), format!("{url}/v1/groups/$ce-count/all"));
    assert_eq!(ask("POST", &format!("{count}?expected=none"), &counted(0)).0, 201);
    assert_eq!(ask("POST", &format!("{count}?expected=none"), &counted(1)).0, 409);
    let (_, page) = ask("GET", &count, &Value::Null);
    assert_eq!(number(&page["events"][0]), Some(0));
    let mut reader = Reader::open(url, None);
    assert_eq!(reader.next().as_ref().and_then(number), Some(0));
    let last = reader.last;
    drop(reader);
    let (_, appended) = ask("POST", &count, &counted(1));
    let mut again = Reader::open(url, last);
    assert_eq!(again.next().as_ref().and_then(number), Some(1));

    node(&world, &[format!("kurrentdb://{}?tls=false", served.address())]);
    assert_eq!(ask("PUT", &group, &json!({})).0, 201);
    assert_eq!(ask("POST", &count, &json!({ "kind": "ended" })).0, 201);
    assert_eq!(consume(&group), [0, 1]);
    let known = format!("known?at_least={}&wait=20s", appended["position"]);
    let (_, known) =
        ask("GET", &format!("{url}/v1/read-models/numbers/queries/{known}"), &Value::Null);
    assert_eq!(known["rows"], json!([{ "known": 2 }]));

    let ada = json!({
        "kind": "order-created",
        "data": { "name": "Ada Lovelace", "total": 7 },
        "metadata": { "$personal": { "subject": "ada", "fields": ["/name"] } },
    });
    let order = format!("{url}/v1/streams/order-ada");
    assert_eq!(ask("POST", &order, &ada).0, 201);
    let data = || ask("GET", &order, &Value::Null).1["events"][0]["data"].clone();
    assert_eq!(data(), json!({ "name": "Ada Lovelace", "total": 7 }));
    assert_eq!(ask("DELETE", &format!("{url}/v1/subjects/ada"), &Value::Null).0, 204);
    assert_eq!(data(), json!({ "name": null, "total": 7 }));
    assert_eq!(served.end(), Some(0));
}

/// Appends numbers while it is told to, each until it is there, and then the end. How many there are,
/// and the position of the end.
fn write(url: &str, written: &AtomicU64, goes_on: &AtomicBool) -> (u64, Value) {
    let count = format!("{url}/v1/streams/count-1");
    let append = |event: &Value| {
        until("an append", || {
            let (status, appended) = ask("POST", &count, event);
            (status == 201).then(|| appended["position"].clone())
        })
    };
    let mut number = 0;
    while goes_on.load(Ordering::SeqCst) {
        append(&counted(number));
        number += 1;
        written.store(number, Ordering::SeqCst);
    }
    (number, append(&json!({ "kind": "ended" })))
}

#[test]
fn all_that_a_server_does_goes_on_when_postgresql_restarts() {
    let world = World::empty();
    let database = Database::apart();
    let served = serve(&world, &database.url("served"));
    let url = served.url.clone();
    let group = format!("{url}/v1/groups/$ce-count/all");
    assert_eq!(ask("PUT", &group, &json!({})).0, 201);
    let (written, goes_on) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(true)));
    let reader = Reader::open(&url, None);
    let reader = thread::spawn(move || reader.numbers());
    let consumer = thread::spawn(move || consume(&group));
    let writer = thread::spawn({
        let (url, written, goes_on) = (url.clone(), written.clone(), goes_on.clone());
        move || write(&url, &written, &goes_on)
    });
    let more = || {
        let wanted = written.load(Ordering::SeqCst) + 20;
        until("more", || (written.load(Ordering::SeqCst) >= wanted).then_some(()));
    };
    for mode in ["fast", "immediate"] {
        more();
        database.restart(mode);
        node(&world, &[format!("kurrentdb://{}?tls=false", served.address())]);
    }
    more();
    goes_on.store(false, Ordering::SeqCst);

    let (count, end) = writer.join().unwrap();
    let numbers: Vec<u64> = (0..count).collect();
    assert_eq!(reader.join().unwrap(), numbers);
    assert_eq!(consumer.join().unwrap(), numbers);
    let model = format!("{url}/v1/read-models/numbers");
    let known = format!("{model}/queries/known?at_least={end}&wait=20s");
    let (_, known) = ask("GET", &known, &Value::Null);
    assert_eq!(known["rows"], json!([{ "known": count }]));
    let (_, status) = ask("GET", &model, &Value::Null);
    assert_eq!(status["live"]["parked"], 0, "{status}");
    assert_eq!(served.end(), Some(0));
}
