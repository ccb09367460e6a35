//! `fairway read-models`.

use crate::world::World;
use serde_json::{Value, json};
use std::fs;

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
    let told = json!({"read_model": "orders", "version": 1, "result": "declared", "parked": 1});
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
    assert_eq!((&status[0]["live"]["lag"], &status[0]["live"]["parked"]), (&json!(0), &json!(0)));
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
