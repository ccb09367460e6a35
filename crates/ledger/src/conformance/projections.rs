//! Projections, and the stored rows under them.

use super::{
    Place, cases,
    given::{append, soon},
    place::open,
};
use crate::{
    event::{DecodeError, Event, Position},
    ledger::Ledger,
    projection::{Key, Projection},
    store::{RowChange, RowSet, Rows},
};

cases!(
    a_projection_is_always_as_new_as_the_ledger,
    rows_are_stored_only_over_what_they_were_folded_from,
    rows_are_found_by_their_keys_in_order,
    rows_of_lower_versions_are_removed,
    of_two_who_store_rows_at_once_one_wins,
);

/// The number of events by stream.
struct Count;

impl Projection for Count {
    const NAME: &'static str = "count";
    const VERSION: u32 = 1;
    type Row = u64;

    fn key(event: &Event) -> Option<Key> {
        Some(Key::from(event.stream.as_str()))
    }

    fn apply(row: Option<u64>, _: &Event) -> Result<Option<u64>, DecodeError> {
        Ok(Some(row.unwrap_or(0) + 1))
    }
}

async fn a_projection_is_always_as_new_as_the_ledger(place: Box<dyn Place>) {
    let (ledger, other) = (open(&*place).await, open(&*place).await);
    for round in 1..=8 {
        append(&ledger, "a-1", 0..150).await;
        append(&other, "a-2", [0]).await;
        for ledger in [&ledger, &other] {
            assert_eq!(ledger.row::<Count>("a-1").await.expect("a row"), Some(150 * round));
            let rows = ledger.last_rows::<Count>(9).await.expect("rows");
            let expected = [(Key::from("a-2"), round), (Key::from("a-1"), 150 * round)];
            assert_eq!(rows, expected);
        }
    }
}

fn set(version: u32) -> RowSet {
    RowSet { name: "names".to_owned(), version }
}

fn change(from: u64, to: u64, rows: &[(Key, Option<&str>)]) -> RowChange {
    let rows = rows.iter().map(|(key, row)| (key.clone(), row.map(str::to_owned))).collect();
    RowChange { set: set(1), from: Position(from), to: Position(to), rows }
}

async fn store(ledger: &Ledger, change: RowChange) -> bool {
    ledger.store().store_rows(change).await.expect("rows are stored")
}

async fn rows(ledger: &Ledger, rows: Rows) -> Vec<(Key, String)> {
    ledger.store().rows(set(1), rows).await.expect("rows are read")
}

async fn rows_are_stored_only_over_what_they_were_folded_from(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let key = Key::from("a");
    assert!(!store(&ledger, change(5, 6, &[(key.clone(), Some("0"))])).await);
    assert!(store(&ledger, change(0, 3, &[(key.clone(), Some("1"))])).await);
    assert!(!store(&ledger, change(0, 4, &[(key.clone(), Some("2"))])).await);
    let position = ledger.store().rows_position(set(1)).await.expect("a position");
    assert_eq!(position, Position(3));
    let all = rows(&ledger, Rows::Last { limit: 9 }).await;
    assert_eq!(all, [(key.clone(), "1".to_owned())]);
    assert!(store(&ledger, change(3, 3, &[(key, None), (Key::Number(7), Some("3"))])).await);
    let all = rows(&open(&*place).await, Rows::Last { limit: 9 }).await;
    assert_eq!(all, [(Key::Number(7), "3".to_owned())]);
}

async fn rows_are_found_by_their_keys_in_order(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    let keys = [
        Key::Number(0),
        Key::Number(255),
        Key::Number(256),
        Key::Number(i64::MAX as u64),
        Key::from(""),
        Key::from("Z"),
        Key::from("cart-1"),
        Key::from("cart-10"),
        Key::from("cart-2\0x"),
        Key::from("carts"),
        Key::from("größe"),
    ];
    assert!(keys.is_sorted());
    let given: Vec<_> = keys.iter().map(|key| (key.clone(), Some("1"))).collect();
    assert!(store(&ledger, change(0, 1, &given)).await);
    let found = async |asked| -> Vec<Key> {
        rows(&ledger, asked).await.into_iter().map(|(key, _)| key).collect()
    };
    let back: Vec<Key> = keys.iter().rev().cloned().collect();
    assert_eq!(found(Rows::Last { limit: 99 }).await, back);
    assert_eq!(found(Rows::Last { limit: 3 }).await, back[..3]);
    let prefix = |prefix: &str, limit| Rows::LastWithPrefix { prefix: prefix.to_owned(), limit };
    assert_eq!(found(prefix("cart-", 9)).await, back[2..5]);
    assert_eq!(found(prefix("cart-", 1)).await, back[2..3]);
    assert_eq!(found(prefix("", 99)).await, back[..7]);
    let mut asked = found(Rows::Keys(vec![keys[9].clone(), Key::Number(1), keys[1].clone()])).await;
    asked.sort();
    assert_eq!(asked, [keys[1].clone(), keys[9].clone()]);
}

async fn rows_of_lower_versions_are_removed(place: Box<dyn Place>) {
    let ledger = open(&*place).await;
    assert!(store(&ledger, change(0, 3, &[(Key::Number(1), Some("1"))])).await);
    let next = RowChange { set: set(2), ..change(0, 9, &[(Key::Number(1), Some("2"))]) };
    assert!(store(&ledger, next).await);
    assert!(rows(&ledger, Rows::Last { limit: 9 }).await.is_empty());
    let position = |version| ledger.store().rows_position(set(version));
    assert_eq!(position(1).await.expect("a position"), Position(0));
    assert_eq!(position(2).await.expect("a position"), Position(9));
}

async fn of_two_who_store_rows_at_once_one_wins(place: Box<dyn Place>) {
    let (one, two) = (open(&*place).await, open(&*place).await);
    for round in 0..20 {
        let both = [("1", one.clone()), ("2", two.clone())].map(|(text, ledger)| {
            tokio::spawn(async move {
                store(&ledger, change(round, round + 1, &[(Key::only(), Some(text))])).await
            })
        });
        let mut won = Vec::new();
        for (text, done) in ["1", "2"].into_iter().zip(both) {
            won.extend(soon(done).await.expect("no panic").then_some(text));
        }
        assert_eq!(won.len(), 1, "round {round}");
        let row = rows(&one, Rows::Keys(vec![Key::only()])).await;
        assert_eq!(row, [(Key::only(), won[0].to_owned())]);
    }
}
