//! Declarations of read models: what is read, and how what is wrong is shown.

use expect_test::{Expect, expect};
use fairway_model::config::{EventKey, ReadModel, ReadModelTarget};
use fairway_model::{Colour, SourceText, render_all};
use proptest::prelude::*;

const ORDERS: &str = "\
read-model: orders
version: 1
from: { category: order }
tables: |
  CREATE TABLE orders (id TEXT PRIMARY KEY,
    total INTEGER NOT NULL);
on:
  order-created: INSERT INTO orders VALUES (:stream_id, :total)
  order-paid:
    - UPDATE orders SET total = 0 WHERE id = :stream_id
queries:
  all: \"SELECT * FROM orders\"
";

fn check(text: &str, expected: &Expect) {
    let found = ReadModel::decode("orders.yaml", text).err().unwrap_or_default();
    expected.assert_eq(&render_all(&found, Colour::Off));
}

#[test]
fn a_declaration_is_read() {
    let model = ReadModel::decode("orders.yaml", ORDERS).unwrap();
    assert_eq!((model.name.as_str(), model.version), ("orders", 1));
    assert_eq!((&model.target, &model.key), (&ReadModelTarget::Sqlite, &EventKey::Stream));
    assert_eq!(model.from.categories, ["order"]);
    assert_eq!(model.on.keys().collect::<Vec<_>>(), ["order-created", "order-paid"]);
}

#[test]
fn a_place_in_sql_is_a_place_in_the_file() {
    let model = ReadModel::decode("orders.yaml", ORDERS).unwrap();
    let source = SourceText::new("orders.yaml", ORDERS);
    let place = |sql: &fairway_model::config::Sql, word: &str| {
        let span = sql.place(&source, sql.text.find(word).unwrap(), 1);
        (span.line, span.column)
    };
    let tables = model.tables.as_ref().unwrap();
    assert_eq!(place(tables, "CREATE"), (5, 3));
    assert_eq!(place(tables, "INTEGER"), (6, 11));
    assert_eq!(place(&model.on["order-created"][0], "VALUES"), (8, 37));
    assert_eq!(place(&model.on["order-paid"][0], "WHERE"), (10, 35));
    assert_eq!(place(&model.queries["all"], "FROM"), (12, 18));
}

#[test]
fn what_is_wrong_comes_at_once_with_what_was_meant() {
    check(
        "read-model: orders\nverson: 1\ninto: mysql\nkey: [a]\ntables: ''\non: {a: SELECT}\n",
        &expect![[r#"
            error: unknown key `verson`
             --> orders.yaml:2:1
              |
            2 | verson: 1
              | ^^^^^^ did you mean `version`?

            error: `mysql` is no place of a read model
             --> orders.yaml:3:7
              |
            3 | into: mysql
              |       ^^^^^ write `sqlite`, `{ postgres: … }` or `{ callback: … }`

            error: expected text, found a list
             --> orders.yaml:4:6
              |
            4 | key: [a]
              |      ^^^

            error: the SQL is empty
             --> orders.yaml:5:9
              |
            5 | tables: ''
              |         ^^
        "#]],
    );
    check(
        "read-model: orders\nversion: 1\ninto: { postgres: \"postgres://a:secret@h/d\" }\non: {}\n",
        &expect![[r#"
            error: `on` says nothing of any kind of event
             --> orders.yaml:1:1
              |
            1 | read-model: orders
              | ^^^^^^^^^^

            error: key `tables` is missing
             --> orders.yaml:1:1
              |
            1 | read-model: orders
              | ^^^^^^^^^^

            error: a password does not belong in a file
             --> orders.yaml:3:19
              |
            3 | into: { postgres: "postgres://a:secret@h/d" }
              |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^ write `${secret:name}` in its place
        "#]],
    );
    check(
        "read-model: orders\nversion: 1\ninto: { callback: h/x }\ntables: CREATE TABLE a (b)\n",
        &expect![[r#"
            error: this is not an address
             --> orders.yaml:3:19
              |
            3 | into: { callback: h/x }
              |                   ^^^ it begins with `http://`

            error: `tables` has no meaning with a callback, which keeps what it wants
             --> orders.yaml:4:1
              |
            4 | tables: CREATE TABLE a (b)
              | ^^^^^^
        "#]],
    );
}

proptest! {
    #[test]
    fn any_text_is_a_declaration_or_refused(text in "\\PC{0,200}|read-model: [a-z0:{}\\[\\]\n -]{0,80}") {
        if let Err(found) = ReadModel::decode("f.yaml", &text) {
            prop_assert!(!found.is_empty());
        }
    }

    #[test]
    fn a_place_is_always_within_the_file(at in 0..ORDERS.len(), insert in "[ \n|>:'\"a-z]{0,3}") {
        let mut text = ORDERS.to_owned();
        text.insert_str(at, &insert);
        let Ok(model) = ReadModel::decode("f.yaml", &text) else { return Ok(()) };
        let source = SourceText::new("f.yaml", &text);
        let all = model.tables.iter().chain(model.queries.values());
        for sql in all {
            for offset in 0..sql.text.len() {
                let span = sql.place(&source, offset, 1);
                prop_assert!(source.line(span.line).is_some());
            }
        }
    }
}
