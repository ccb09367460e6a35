//! A new build comes up beside the one that is read, and takes its place.

use crate::{
    place::{ORDERS, Place, ask, at_least, declaration, name, order, until},
    server::Server,
    tables::Tables,
};
use fairway_ledger::{Expected, Ledger, NewEvent, Position, StreamName};
use fairway_read_models::{Consistency, ReadModelError, ReadModels, State};
use rusqlite::Connection;
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Appends orders of one until it is told to stop; says how many, and the last position.
async fn write(ledger: Ledger, stop: Arc<AtomicBool>) -> (u64, Position) {
    let (mut count, mut last) = (0, Position(0));
    while !stop.load(Ordering::SeqCst) {
        for _ in 0..20 {
            count += 1;
            let stream = StreamName::of("order", count).unwrap();
            let event = NewEvent::new("order-created", &json!({"total": 1})).unwrap();
            last = ledger.append(&stream, Expected::Any, vec![event]).await.unwrap().position;
        }
    }
    (count, last)
}

async fn swaps(tables: &Tables) {
    let place = Place::new();
    let ledger = place.ledger();
    let (models, following) = ReadModels::start(ledger.clone(), tables.places(&place)).unwrap();
    models.apply(&tables.declaration(ORDERS, 1)).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write(ledger.clone(), stop.clone()));
    ask(&models, "sum", &[], at_least(Position(1))).await;
    for version in 2..5 {
        models.apply(&tables.declaration(ORDERS, version)).await.unwrap();
        let mut seen = Position(0);
        loop {
            let answer = ask(&models, "sum", &[], Consistency::Now).await;
            assert!(answer.position >= seen, "a reader went back in time");
            seen = answer.position;
            if u64::from(answer.version) == version {
                break;
            }
        }
    }
    stop.store(true, Ordering::SeqCst);
    let (count, last) = writer.await.unwrap();
    let answer = ask(&models, "sum", &[], at_least(last)).await;
    assert_eq!(answer.rows, [[json!(count), json!(count)]]);
    until(async || (tables.builds(&place).await == 1).then_some(())).await;
    following.stop().await;
}

#[tokio::test]
async fn the_swap_stops_no_writer_and_takes_no_reader_back() {
    swaps(&Tables::Sqlite).await;
}

#[tokio::test]
async fn the_swap_in_postgres_stops_no_writer_and_takes_no_reader_back() {
    swaps(&Tables::in_postgres(Server::shared(), "swapped").await).await;
}

#[tokio::test]
async fn while_a_rebuild_stands_still_writers_and_readers_go_on() {
    let place = Place::new();
    let ledger = place.ledger();
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(ORDERS)).await.unwrap();
    let first = order(&ledger, 0, "order-created", json!({"total": 1})).await;
    ask(&models, "sum", &[], at_least(first)).await;
    following.stop().await;
    models.apply(&declaration(&ORDERS.replace("version: 1", "version: 2"))).await.unwrap();
    let build = models.status(&name("orders")).await.unwrap().candidate.unwrap().build;
    let held = Connection::open(place.dir().join(format!("orders.v2.b{build}.db"))).unwrap();
    held.execute_batch("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE").unwrap();
    let (models, following) = place.start(&ledger);
    for id in 1..200 {
        let at = order(&ledger, id, "order-created", json!({"total": 1})).await;
        let answer = ask(&models, "sum", &[], at_least(at)).await;
        assert_eq!((answer.version, &answer.rows[0][0]), (1, &json!(id + 1)));
    }
    held.execute_batch("ROLLBACK").unwrap();
    models.settled(&name("orders")).await.unwrap();
    let answer = ask(&models, "sum", &[], Consistency::Now).await;
    assert_eq!((answer.version, &answer.rows[0][0]), (2, &json!(200)));
    following.stop().await;
}

#[tokio::test]
async fn a_model_that_is_added_later_is_filled_by_replay_and_one_that_is_removed_is_gone() {
    let place = Place::new();
    let ledger = place.ledger();
    let mut last = Position(0);
    for id in 0..500 {
        last = order(&ledger, id, "order-created", json!({"total": 1})).await;
    }
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(ORDERS)).await.unwrap();
    let later = ORDERS.replace("read-model: orders", "read-model: later");
    models.apply(&declaration(&later)).await.unwrap();
    models.wait(&name("later"), at_least(last)).await.unwrap();
    assert_eq!(models.list().await.unwrap().len(), 2);
    models.remove(&name("later")).await.unwrap();
    assert_eq!(models.list().await.unwrap().len(), 1);
    until(async || (!place.dir().join("later.v1.b1.db").exists()).then_some(())).await;
    assert!(matches!(models.status(&name("later")).await, Err(ReadModelError::Missing(_))));
    models.apply(&declaration(&later)).await.unwrap();
    models.wait(&name("later"), at_least(last)).await.unwrap();
    following.stop().await;
}

#[tokio::test]
async fn a_changed_text_needs_a_higher_version() {
    let place = Place::new();
    let ledger = place.ledger();
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(&ORDERS.replace("version: 1", "version: 2"))).await.unwrap();
    let changed = ORDERS.replace("'paid'", "'done'");
    let same = models.apply(&declaration(&changed.replace("version: 1", "version: 2"))).await;
    assert!(matches!(same, Err(ReadModelError::SameVersion { version: 2, .. })), "{same:?}");
    let lower = models.apply(&declaration(&changed)).await;
    assert!(matches!(lower, Err(ReadModelError::LowerVersion { .. })), "{lower:?}");
    following.stop().await;
}

#[tokio::test]
async fn sql_that_the_database_refuses_is_shown_in_the_file() {
    let place = Place::new();
    let (models, following) = place.start(&place.ledger());
    let wrong = ORDERS
        .replace("SET state", "SET stat")
        .replace("by_state: SELECT id", "by_state: SELECT no")
        .replace("sum: SELECT count(*),", "sum: SELECT 1 AS a, 2 AS a,");
    let error = models.apply(&declaration(&wrong)).await.unwrap_err();
    let ReadModelError::Declaration(found) = error else { panic!("{error}") };
    let shown: Vec<_> =
        found.iter().map(|one| (one.span.line, one.span.column, one.message.as_str())).collect();
    assert_eq!(
        shown,
        [
            (10, 25, "SQLite says: no such column: stat"),
            (12, 20, "SQLite says: no such column: no"),
            (13, 8, "two columns are named `a`; give one another name with `AS`")
        ]
    );
    following.stop().await;
}

#[tokio::test]
async fn sql_of_a_declaration_keeps_to_its_own_tables() {
    let place = Place::new();
    let (models, following) = place.start(&place.ledger());
    let other = place.dir().join("other.db").display().to_string();
    for bad in [
        "CREATE TABLE fairway_standing (a)".to_owned(),
        format!("CREATE TABLE trigger (a); ATTACH '{other}' AS other"),
        "CREATE TABLE a (b); CREATE TRIGGER t AFTER INSERT ON a BEGIN
  UPDATE fairway_standing SET position = 0; END"
            .to_owned(),
    ] {
        let text = ORDERS.replace("tables: |\n", &format!("tables: |\n  {bad};\n"));
        let refused = models.apply(&declaration(&text)).await.unwrap_err();
        assert!(matches!(refused, ReadModelError::Declaration(_)), "{bad}: {refused}");
    }
    let text =
        ORDERS.replace("UPDATE orders SET", "UPDATE fairway_standing SET position = 1, asks =");
    let refused = models.apply(&declaration(&text)).await.unwrap_err();
    assert!(matches!(refused, ReadModelError::Declaration(_)), "{refused}");
    assert!(!std::path::Path::new(&other).exists());
    following.stop().await;
}

#[tokio::test]
async fn tables_that_somebody_removed_are_missed_and_built_anew() {
    let place = Place::new();
    let ledger = place.ledger();
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(ORDERS)).await.unwrap();
    let last = order(&ledger, 1, "order-created", json!({"total": 1})).await;
    ask(&models, "sum", &[], at_least(last)).await;
    following.stop().await;
    std::fs::remove_dir_all(place.dir()).unwrap();
    let asked = (
        fairway_read_models::Question::Named("sum".into()),
        fairway_read_models::Parameters::new(),
    );
    let gone = models.query(&name("orders"), asked, Consistency::Now).await.unwrap_err();
    assert!(matches!(gone, ReadModelError::Target(_)), "{gone}");
    let (models, following) = place.start(&ledger);
    assert_eq!(ask(&models, "sum", &[], at_least(last)).await.rows, [[json!(1), json!(1)]]);
    following.stop().await;
}

#[tokio::test]
async fn a_version_that_parks_more_than_the_one_that_is_read_waits_for_a_mend_or_a_person() {
    let place = Place::new();
    let ledger = place.ledger();
    let (models, following) = place.start(&ledger);
    let model = name("orders");
    models.apply(&declaration(ORDERS)).await.unwrap();
    let last = order(&ledger, 1, "order-created", json!({"total": 1})).await;
    ask(&models, "sum", &[], at_least(last)).await;
    let broken = |version: u32| {
        let text = ORDERS.replace("version: 1", &format!("version: {version}"));
        declaration(&text.replace(":total)", ":totl)"))
    };
    models.apply(&broken(2)).await.unwrap();
    models.settled(&model).await.unwrap();
    let status = models.status(&model).await.unwrap();
    let why = "it parked 1, and the build that is read 0";
    assert_eq!(status.candidate.unwrap().state, Some(State::Withheld(why.to_owned())));
    assert_eq!(models.parked(&model, 10).await.unwrap().len(), 1, "those of the new build");
    let answer = ask(&models, "sum", &[], Consistency::Now).await;
    assert_eq!((answer.version, answer.rows), (1, vec![vec![json!(1), json!(1)]]));
    let mended = ORDERS.replace("version: 1", "version: 3");
    models.apply(&declaration(&mended)).await.unwrap();
    models.settled(&model).await.unwrap();
    assert_eq!(ask(&models, "sum", &[], Consistency::Now).await.version, 3);
    models.apply(&broken(4)).await.unwrap();
    models.settled(&model).await.unwrap();
    assert_eq!(ask(&models, "sum", &[], Consistency::Now).await.version, 3);
    models.accept(&model).await.unwrap();
    models.settled(&model).await.unwrap();
    let answer = ask(&models, "sum", &[], Consistency::Now).await;
    assert_eq!((answer.version, answer.rows), (4, vec![vec![json!(0), json!(0)]]));
    models.apply(&broken(5)).await.unwrap();
    models.settled(&model).await.unwrap();
    assert_eq!(ask(&models, "sum", &[], Consistency::Now).await.version, 5, "it is no worse");
    following.stop().await;
}

#[tokio::test]
async fn a_withheld_version_goes_live_by_itself_when_what_it_parked_is_left_out() {
    let place = Place::new();
    let ledger = place.ledger();
    let (models, following) = place.start(&ledger);
    models.apply(&declaration(ORDERS)).await.unwrap();
    let at = order(&ledger, 1, "order-created", json!({"total": 1})).await;
    ask(&models, "sum", &[], at_least(at)).await;
    let broken = ORDERS.replace("version: 1", "version: 2").replace(":total)", ":totl)");
    models.apply(&declaration(&broken)).await.unwrap();
    models.settled(&name("orders")).await.unwrap();
    models.skip(&name("orders"), at).await.unwrap();
    models.settled(&name("orders")).await.unwrap();
    assert_eq!(ask(&models, "sum", &[], Consistency::Now).await.version, 2);
    following.stop().await;
}
