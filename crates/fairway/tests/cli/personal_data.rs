//! Personal data: sealed as they are appended, in the order of the others, with the keys of the ledger.

use crate::{database::Database, outcome::Outcome, served::Served, web::ask, world::World};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

/// Sealing takes its time, which the other events of the file do not wait for by themselves.
#[test]
fn an_import_keeps_the_order_of_events_with_personal_data_and_without() {
    let world = World::empty();
    let line = |stream: &str, kind: &str, more: &str| {
        let data = r#""data":{"name":"Ada"}"#;
        format!("{{\"stream\":\"{stream}\",\"kind\":\"{kind}\",{data}{more}}}\n")
    };
    let personal = r#","metadata":{"$personal":{"subject":"s","fields":["/name"]}}"#;
    let lines = [("a-1", personal), ("b-1", ""), ("a-1", ""), ("b-1", "")];
    let file = |versions: [&str; 4]| -> String {
        let numbered = lines.iter().zip(versions).zip(1..);
        let lines = numbered.map(|((&(stream, metadata), version), number)| {
            line(stream, &format!("k{number}"), &format!("{version}{metadata}"))
        });
        lines.collect()
    };
    let versions = [r#","version":1"#, r#","version":1"#, r#","version":2"#, r#","version":2"#];
    for (place, versions) in [("plain.db", [""; 4]), ("with-versions.db", versions)] {
        let import = ["events", "import", "-", "--ledger", place];
        world.fairway_with(&import, &file(versions)).passed();
        let read = world.fairway(&["events", "read", "--ledger", place]).passed().stdout;
        let found: Vec<[&str; 2]> = read
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .map(|words| [words[2], words[3]])
            .collect();
        let wanted = [["a-1@1", "k1"], ["b-1@1", "k2"], ["a-1@2", "k3"], ["b-1@2", "k4"]];
        assert_eq!(found, wanted, "{place}");
    }
}

const METADATA: &str = r#"{"$personal":{"subject":"ada","fields":["/name"]}}"#;

/// Two data directories, as two machines have them.
struct Machines {
    one: World,
    other: World,
}

impl Machines {
    fn new() -> Self {
        Self { one: World::empty(), other: World::empty() }
    }
}

/// Appends an event with a name to a ledger.
fn append(world: &World, place: &[&str]) -> Outcome {
    let data = r#"{"name":"Ada Lovelace"}"#;
    let append = ["events", "append", "order-1", "created", data, "--metadata", METADATA];
    world.fairway(&[&append[..], place].concat())
}

fn forget(world: &World, place: &[&str]) -> Outcome {
    world.fairway(&[&["events", "forget", "ada", "--yes"][..], place].concat())
}

/// The data of the events, and what else is said.
fn read(world: &World, place: &[&str]) -> (Vec<String>, String) {
    let read = ["events", "read", "order-1"];
    let outcome = world.fairway(&[&read[..], place].concat()).passed();
    let data = |line: &str| line.split_whitespace().last().unwrap().to_owned();
    let quiet = outcome.stdout.lines().map(|line| line.replace("Ada Lovelace", "Ada"));
    (quiet.map(|line| data(&line)).collect(), outcome.stderr)
}

const OPEN: &str = r#"{"name":"Ada"}"#;
const NULL: &str = r#"{"name":null}"#;

#[test]
fn keys_of_another_data_directory_are_refused_until_they_are_adopted() {
    let Machines { one, other } = Machines::new();
    let shared = one.dir().join("shared.db");
    let place = ["--ledger", shared.to_str().unwrap()];
    append(&one, &place).passed();
    assert_eq!(read(&one, &place), (vec![OPEN.to_owned()], String::new()));

    let (data, said) = read(&other, &place);
    assert_eq!(data, [NULL]);
    assert!(said.contains("is sealed with keys that are not in"), "{said}");
    for verb in [["events", "export", "-"], ["events", "tail", "--limit=1"]] {
        let arguments: &[&str] = if verb[1] == "tail" { &["--after", "1"] } else { &[] };
        let outcome = other.fairway(&[&verb[..], arguments, &place].concat()).passed();
        assert!(outcome.stderr.contains("is sealed with keys that are not in"), "{outcome}");
    }
    for refused in [append(&other, &place), forget(&other, &place)] {
        assert_eq!(refused.code, 1, "{refused}");
        assert!(
            refused.stderr.contains("is sealed with other keys than those that are here"),
            "{refused}"
        );
        assert!(
            refused.stderr.contains("hint: name the place of the ledger's keys with `--subjects`")
        );
        assert!(refused.stderr.contains("hint: if they are lost: `fairway events adopt-keys`"));
    }
    other.fairway(&[&["events", "append", "order-2", "paid"][..], &place].concat()).passed();
    let keys = one.home().join("subjects.db");
    let with_keys = [&place[..], &["--subjects", keys.to_str().unwrap()]].concat();
    assert_eq!(read(&other, &with_keys), (vec![OPEN.to_owned()], String::new()));

    let adopt =
        |more: &[&str]| other.fairway(&[&["events", "adopt-keys"][..], &place, more].concat());
    assert_eq!(adopt(&[]).code, 2, "it asks first");
    let adopted = adopt(&["--yes"]).passed();
    assert!(adopted.stderr.contains(" now\n"), "{adopted}");
    assert!(adopt(&["--yes"]).passed().stderr.contains(" already\n"));
    append(&other, &place).passed();
    assert_eq!(read(&other, &place), (vec![NULL.to_owned(), OPEN.to_owned()], String::new()));
    assert_eq!(append(&one, &place).code, 1);
    assert_eq!(read(&one, &place).0, [OPEN, NULL]);
}

#[test]
fn a_server_says_at_its_start_that_the_keys_are_elsewhere() {
    let Machines { one, other } = Machines::new();
    let shared = one.dir().join("shared.db");
    let place = ["--ledger", shared.to_str().unwrap()];
    append(&one, &place).passed();
    let mut serve = other.program(&["ledger", "serve", "--listen", "127.0.0.1:0"]);
    let mut served = serve.args(place).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(served.stderr.take().unwrap()).lines();
    assert!(said.next().unwrap().unwrap().contains("`--subjects` names their place"));
    served.kill().unwrap();
    served.wait().unwrap();

    let served = Served::ledger(&other, &place);
    let url = format!("{}/v1/streams/order-1", served.url);
    let event = json!({
        "kind": "created",
        "data": { "name": "Ada" },
        "metadata": { "$personal": { "subject": "ada", "fields": ["/name"] } },
    });
    let (status, refused) = ask("POST", &url, &event);
    assert_eq!(status, 422);
    let why = refused["detail"].as_str().unwrap();
    assert!(why.contains("is sealed with other keys than those that are here"), "{why}");
    assert_eq!(ask("DELETE", &format!("{}/v1/subjects/ada", served.url), &Value::Null).0, 500);
    assert_eq!(ask("GET", &url, &Value::Null).1["events"][0]["data"], json!({ "name": null }));
}

#[test]
fn who_is_forgotten_on_one_machine_is_so_on_all_that_share_keys() {
    let Machines { one, other } = Machines::new();
    let database = Database::shared();
    let (ledger, keys) = (database.url("personal"), database.url("personal_keys"));
    // So the password is in no command line.
    let file = one.dir().join("keys");
    std::fs::write(&file, &keys).unwrap();
    let in_file = format!("@{}", file.display());
    let place = ["--ledger", &ledger, "--subjects", &keys];
    append(&one, &["--ledger", &ledger, "--subjects", &in_file]).passed();
    append(&other, &place).passed();
    let served = Served::ledger(&other, &place);
    let url = format!("{}/v1/streams/order-1", served.url);
    let names = || {
        let (_, page) = ask("GET", &url, &Value::Null);
        let events = page["events"].as_array().unwrap().clone();
        events.iter().map(|event| event["data"]["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(), ["Ada Lovelace", "Ada Lovelace"]);
    let forgotten = forget(&one, &place).passed();
    assert!(forgotten.stderr.contains("`ada` is forgotten"), "{forgotten}");
    assert_eq!(names(), [Value::Null, Value::Null]);
    assert_eq!(read(&other, &place), (vec![NULL.to_owned(); 2], String::new()));

    let refused = append(&one, &["--ledger", &ledger]);
    assert!(
        refused.stderr.contains("is sealed with other keys than those that are here"),
        "{refused}"
    );
    assert_eq!(append(&other, &["--ledger", &ledger]).code, 1);
}
