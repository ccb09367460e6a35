//! `examples/orders-cqrs`: two services over one ledger, as their README starts them.

use crate::{
    served::Served,
    web::ask,
    world::{World, until},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/orders-cqrs");
/// Shows a program another time of day, from Debian's package `faketime`.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
/// How far back the first orders are made: somewhat more than three months.
const DAYS_AGO: u64 = 92;
/// How orders go on from their creation.
const PATH: [&str; 5] = ["approve", "pay", "prepare", "ship", "deliver"];

/// The ledger and both services.
struct Shop {
    _ledger: Served,
    orders: Served,
    lists: Served,
}

impl Shop {
    /// Opens the shop on a world's ledger, by the clock of some days ago.
    fn open(world: &World, days_ago: u64) -> Self {
        let mut serve = world.program(&["ledger", "serve", "--listen", "127.0.0.1:0"]);
        serve.arg("--read-models").arg(declarations(world));
        serve.env("LD_PRELOAD", FAKETIME).env("FAKETIME", format!("-{days_ago}d"));
        serve.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let ledger = Served::fairway(&mut serve);
        let service = |program: &str, script: &str| {
            let mut command = world.command(program);
            command.arg(Path::new(SAMPLE).join(script)).env("LEDGER_URL", &ledger.url);
            Served::service(command.env("PORT", "0").env("PYTHONDONTWRITEBYTECODE", "1"))
        };
        let orders = service("python3", "orders/server.py");
        let lists = service("node", "lists/server.mjs");
        Self { _ledger: ledger, orders, lists }
    }

    /// Gives a command; it must be obeyed.
    fn order(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = ask("POST", &format!("{}/orders/{path}", self.orders.url), body);
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    fn list(&self, path: &str) -> Value {
        let (status, answer) = ask("GET", &format!("{}/{path}", self.lists.url), &Value::Null);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }
}

/// The declarations of read models, where the test can add one.
fn declarations(world: &World) -> PathBuf {
    let dir = world.dir().join("read-models");
    if !dir.exists() {
        fs::create_dir(&dir).unwrap();
        for name in ["orders.yaml", "search.yaml"] {
            fs::copy(Path::new(SAMPLE).join("read-models").join(name), dir.join(name)).unwrap();
        }
    }
    dir
}

fn tea() -> Value {
    json!({ "name": "tea", "price": 450, "quantity": 2 })
}

fn created(customer: &str) -> Value {
    json!({ "customer": customer, "items": [tea()] })
}

/// The rows that a list has of some orders.
fn ids(list: &Value) -> Vec<&str> {
    let rows = list["rows"].as_array().unwrap_or_else(|| panic!("{list} has rows"));
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[test]
fn an_order_goes_its_way_and_every_view_follows() {
    let world = World::empty();
    let shop = Shop::open(&world, 0);
    shop.order("1", &created("Ada"));
    shop.order("2", &created("Alan"));
    let added = shop.order("2/items", &json!({ "name": "coffee", "price": 700, "quantity": 1 }));
    assert_eq!(added["total"], 1600);
    for step in PATH {
        let done = shop.order(&format!("1/{step}"), &Value::Null);
        let list = shop.list(&format!("orders?state=created&at_least={}", done["position"]));
        assert_eq!(ids(&list), ["2"], "after {step}");
    }
    assert_eq!(ids(&shop.list("orders?state=delivered")), ["1"]);
    assert_eq!(ids(&shop.list("search?q=coffee")), ["2"]);
    assert_eq!(ids(&shop.list("search?q=tea")), ["1", "2"]);

    let url = format!("{}/orders/1", shop.orders.url);
    let (_, order) = ask("GET", &url, &Value::Null);
    assert_eq!((&order["state"], &order["version"]), (&json!("delivered"), &json!(6)));
    assert_eq!(order["replayed"], 2, "a snapshot holds the first four events");
    let (status, refused) = ask("POST", &format!("{url}/pay"), &Value::Null);
    assert_eq!((status, &refused["error"]), (409, &json!("the order is delivered, not approved")));
}

#[test]
fn an_invoice_is_shown_as_of_three_months_ago() {
    let world = World::empty();
    let then = Shop::open(&world, DAYS_AGO);
    then.order("7", &created("Ada"));
    drop(then);
    let now = Shop::open(&world, 0);
    now.order("7/items", &json!({ "name": "cake", "price": 300, "quantity": 1 }));
    let date = Command::new("date").args(["-u", "-d", "-91 days", "+%FT%TZ"]).output().unwrap();
    let as_of = String::from_utf8(date.stdout).unwrap();
    let invoice = now.list(&format!("orders/7/invoice?as_of={}", as_of.trim()));
    assert_eq!((&invoice["total"], invoice["lines"].as_array().unwrap().len()), (&json!(900), 1));
    assert_eq!(now.list("orders/7/invoice")["total"], 1200);
}

#[test]
fn a_third_view_is_filled_by_replay_while_orders_go_on() {
    let world = World::empty();
    let shop = Shop::open(&world, 0);
    let pay = |id: u32| {
        shop.order(&id.to_string(), &created("Ada"));
        shop.order(&format!("{id}/approve"), &Value::Null);
        shop.order(&format!("{id}/pay"), &Value::Null)["position"].clone()
    };
    for id in 0..20 {
        pay(id);
    }
    let goes_on = AtomicBool::new(true);
    let paid = thread::scope(|scope| {
        let customers = scope.spawn(|| {
            let mut id = 20;
            let mut last = pay(id);
            while goes_on.load(Ordering::SeqCst) {
                id += 1;
                last = pay(id);
            }
            (id + 1, last)
        });
        let third = declarations(&world).join("revenue.yaml");
        fs::copy(Path::new(SAMPLE).join("later/revenue.yaml"), &third).unwrap();
        world.fairway(&["read-models", "apply", third.to_str().unwrap()]).passed();
        until("the third view", || {
            let url = format!("{}/revenue", shop.lists.url);
            let (status, list) = ask("GET", &url, &Value::Null);
            (status == 200 && !list["rows"].as_array()?.is_empty()).then_some(())
        });
        goes_on.store(false, Ordering::SeqCst);
        customers.join().unwrap()
    });
    let (count, position) = paid;
    let revenue = shop.list(&format!("revenue?at_least={position}"));
    let row = json!({ "state": "paid", "orders": count, "total": count * 900 });
    assert_eq!(revenue["rows"], json!([row]));
}
