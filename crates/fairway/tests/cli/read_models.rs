//! `fairway read-models`.

use crate::{
    served::Served,
    world::{World, until},
};
use serde_json::{Value, json};
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    thread,
};

const ORDERS: &str = "\
read-model: orders
version: 1
from: { category: order }
tables: CREATE TABLE orders (id TEXT PRIMARY KEY, total INTEGER NOT NULL)
on:
  order-created: INSERT INTO orders VALUES (:stream_id, :total)
queries:
  over: SELECT id, total FROM orders WHERE total > :total ORDER BY id
";

/// A world with a declaration and two orders, of which one is wrong.
fn shop() -> World {
    let world = World::empty();
    declare(&world, ORDERS);
    for (id, data) in [("order-1", r#"{"total":7}"#), ("order-2", r#"{"totl":8}"#)] {
        world.fairway(&["events", "append", id, "order-created", data]).passed();
    }
    world
}

fn declare(world: &World, text: &str) {
    fs::write(path(world), text).unwrap();
}

fn path(world: &World) -> String {
    world.dir().join("orders.yaml").display().to_string()
}

fn lines(world: &World, arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["read-models"], arguments, &["--output", "json"]].concat();
    let printed = world.fairway(&arguments).passed().stdout;
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_read_model_is_declared_asked_mended_and_removed_without_a_server() {
    let world = shop();
    let applied = lines(&world, &["apply", &path(&world)]);
    let told = json!({"read_model": "orders", "version": 1, "result": "declared", "parked": 1, "live": true});
    assert_eq!(applied, [told]);
    let again = lines(&world, &["apply", &path(&world)]);
    assert_eq!(again[0]["result"], "unchanged");
    let found = lines(&world, &["query", "orders", "over", "-p", "total=5"]);
    assert_eq!(found[0]["rows"], json!([{"id": "1", "total": 7}]));
    let parked = lines(&world, &["parked", "orders"]);
    assert_eq!(parked[0]["error"], "the data have no field `total`");
    let position = parked[0]["position"].to_string();
    world.fairway(&["read-models", "retry", "orders"]).passed();
    let tries = lines(&world, &["parked", "orders"])[0]["tries"].as_u64();
    assert!(tries > parked[0]["tries"].as_u64(), "{tries:?}");
    world.fairway(&["read-models", "skip", "orders", &position]).passed();
    assert!(lines(&world, &["parked", "orders"]).is_empty());
    world.fairway(&["read-models", "rebuild", "orders"]).passed();
    let status = lines(&world, &["status", "orders"]);
    assert_eq!((&status[0]["building"], &status[0]["live"]["parked"]), (&json!(null), &json!(0)));
    world.fairway(&["read-models", "remove", "orders", "--yes"]).passed();
    assert!(lines(&world, &["list"]).is_empty());
}

#[test]
fn what_is_wrong_with_a_declaration_is_shown_at_its_line() {
    let world = shop();
    world.fairway(&["read-models", "apply", &path(&world)]).passed();
    declare(&world, &ORDERS.replace("> :total", "< :total"));
    let same = world.fairway(&["read-models", "apply", &path(&world)]);
    assert_eq!(same.code, 2);
    assert!(same.stderr.contains("hint: raise `version` in"), "{}", same.stderr);
    declare(
        &world,
        &ORDERS.replace("id, total FROM", "id, sum FROM").replace("version: 1", "version: 2"),
    );
    let wrong = world.fairway(&["read-models", "apply", &path(&world)]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("orders.yaml:8:20"), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("no such column: sum"), "{}", wrong.stderr);
}

#[test]
fn a_ledger_has_one_set_of_read_models_by_whatever_path_it_is_reached() {
    let world = shop();
    let (ledger, link) = (world.home().join("events.db"), world.dir().join("link.db"));
    std::os::unix::fs::symlink(ledger, &link).unwrap();
    let link = link.display().to_string();
    lines(&world, &["apply", &path(&world), "--ledger", &link]);
    let found = lines(&world, &["query", "orders", "over", "-p", "total=5"]);
    assert_eq!(found[0]["rows"], json!([{"id": "1", "total": 7}]));
}

#[test]
fn a_ledger_is_served_whatever_is_wrong_with_a_declaration_and_what_was_live_stays_so() {
    let world = shop();
    let folder = world.dir().join("declared");
    fs::create_dir(&folder).unwrap();
    let second = ORDERS.replace("version: 1", "version: 2");
    fs::write(path(&world), &second).unwrap();
    world.fairway(&["read-models", "apply", &path(&world)]).passed();
    let served = |text: &str| {
        fs::write(folder.join("orders.yaml"), text).unwrap();
        let serving = Served::ledger(&world, &["--read-models", &folder.display().to_string()]);
        let found = lines(&world, &["query", "orders", "over", "-p", "total=5"]);
        assert_eq!((&found[0]["version"], &found[0]["rows"][0]["total"]), (&json!(2), &json!(7)));
        let status = lines(&world, &["status", "orders"]);
        let listed = world.fairway(&["read-models", "list"]).passed().stderr;
        assert_eq!(serving.end(), Some(0));
        (status, listed)
    };
    let (status, listed) = served(ORDERS);
    let why = "read model `orders` has version 2 already, which is later than 1";
    assert_eq!(status[0]["refused"][0]["why"], format!("error: {why}\n"));
    assert!(listed.contains("orders.yaml` was not taken") && listed.contains(why), "{listed}");
    let (status, _) = served(&second.replace("> :total", "< :total"));
    assert!(status[0]["refused"][0]["why"].as_str().unwrap().contains("raise `version`"));
    let (status, listed) = served("read-model: [");
    assert_eq!((status.len(), &status[0]["refused"]), (2, &json!([])));
    assert_eq!(status[1]["read_model"], Value::Null);
    assert!(listed.contains("orders.yaml:2:1"), "{listed}");
    let (status, listed) = served(&second);
    assert_eq!((status.len(), &status[0]["refused"]), (1, &json!([])));
    assert!(!listed.contains("was not taken"), "{listed}");
}

#[test]
fn who_cannot_listen_declares_nothing_and_notes_nothing() {
    let world = shop();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    fs::write(world.dir().join("wrong.yaml"), "read-model: [").unwrap();
    let folder = world.dir().display().to_string();
    let refused = world.fairway(&["ledger", "serve", "--listen", &port, "--read-models", &folder]);
    assert!(refused.stderr.contains("could not listen"), "{refused}");
    assert!(!refused.stderr.contains("was not taken"), "{refused}");
    assert!(lines(&world, &["list"]).is_empty());
}

#[test]
fn a_version_that_parks_more_than_the_live_one_is_not_read_until_it_is_mended_or_accepted() {
    let world = shop();
    world.fairway(&["read-models", "apply", &path(&world)]).passed();
    declare(&world, &ORDERS.replace("version: 1", "version: 2").replace(":total)", ":sum)"));
    for _ in 0..2 {
        let refused = world.fairway(&["read-models", "apply", &path(&world)]);
        assert_eq!(refused.code, 1, "{refused}");
        assert!(refused.stderr.contains("is not read: it parked 2"), "{refused}");
        assert!(refused.stderr.contains("fairway read-models accept orders"), "{refused}");
    }
    let status = lines(&world, &["status", "orders"]);
    assert_eq!(
        (&status[0]["live"]["version"], &status[0]["live"]["parked"]),
        (&json!(1), &json!(1))
    );
    let why = "it parked 2, and the build that is read 1";
    assert_eq!(status[0]["building"]["withheld"], why);
    let listed = world.fairway(&["read-models", "list"]).passed();
    assert!(listed.stdout.contains("withheld") && listed.stderr.contains(why), "{listed}");
    let parked = lines(&world, &["parked", "orders"]);
    assert_eq!(parked[0]["error"], "the data have no field `sum`");
    world.fairway(&["read-models", "accept", "orders"]).passed();
    assert_eq!(lines(&world, &["status", "orders"])[0]["live"]["version"], 2);
}

#[test]
fn a_callback_that_fails_is_told_by_the_server_once_and_by_every_other_process() {
    let world = World::empty();
    world.fairway(&["events", "append", "order-1", "order-created", "{}"]).passed();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = world.dir().join("declared");
    fs::create_dir(&folder).unwrap();
    let search = format!(
        "read-model: search\nversion: 1\ninto: {{ callback: \"http://{port}/\" }}\nfrom: {{ category: order }}\n"
    );
    fs::write(folder.join("search.yaml"), search).unwrap();
    let mut serving = Served::ledger(&world, &["--read-models", &folder.display().to_string()]);
    let status = || lines(&world, &["status", "search"])[0]["building"]["failing"].clone();
    let why = until("the failure", || status().as_str().map(str::to_owned));
    let listed = world.fairway(&["read-models", "list"]).passed().stderr;
    assert!(listed.contains(&why), "{listed}");
    let told = serving.line();
    assert!(told.starts_with("version 1 of read model `search` fails: "), "{told}");
    let listener = TcpListener::bind(port).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let read = stream.read(&mut [0; 4096]).unwrap();
            assert!(read > 0);
            let answer =
                "HTTP/1.1 204 No Content\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    assert_eq!(serving.line(), "version 1 of read model `search` goes on");
    until("the recovery", || {
        lines(&world, &["status", "search"])[0]["live"]["failing"].is_null().then_some(())
    });
    assert_eq!(serving.end(), Some(0));
}
