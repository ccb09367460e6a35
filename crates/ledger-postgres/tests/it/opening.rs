use crate::{
    place::{Place, append, events, numbers, open, stream},
    server::Server,
};
use fairway_ledger::{
    AppendError, Clock, EventId, Expected, Ledger, LedgerError, Retention, Version,
};
use fairway_ledger_postgres::open_existing;

async fn try_open(url: &str) -> Result<Ledger, LedgerError> {
    fairway_ledger_postgres::open(url, Clock::system()).await
}

#[tokio::test]
async fn many_who_open_a_ledger_at_once_make_one() {
    let place = Place::new();
    let url = &place.url;
    let opened: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { open(&url).await.id() })
        })
        .collect();
    let mut ids = Vec::new();
    for one in opened {
        ids.push(one.await.unwrap());
    }
    assert!(ids.iter().all(|id| *id == ids[0]));
}

#[tokio::test]
async fn a_ledger_that_has_to_be_there_is_not_made() {
    let (place, clock) = (Place::new(), Clock::system());
    let error = open_existing(&place.url, clock.clone()).await.unwrap_err();
    assert!(matches!(error, LedgerError::Missing(_)), "{error}");
    let made = format!(
        "SELECT count(*) FROM pg_namespace WHERE nspname = '{schema}'",
        schema = place.schema
    );
    assert_eq!(Server::shared().ask(&made).await.as_deref(), Some("0"));
    append(&place.open().await, "a", [1, 2]).await;
    assert_eq!(numbers(&open_existing(&place.url, clock).await.unwrap()).await, [1, 2]);
}

#[tokio::test]
async fn ledgers_in_two_schemas_have_nothing_to_do_with_each_other() {
    let (one, two) = (Place::new().open().await, Place::new().open().await);
    append(&one, "a", [1, 2]).await;
    append(&two, "a", [3]).await;
    assert_eq!((numbers(&one).await, numbers(&two).await), (vec![1, 2], vec![3]));
    assert_ne!(one.id(), two.id());
    assert_ne!(one.place(), two.place());
}

#[tokio::test]
async fn a_newer_ledger_is_refused_by_name() {
    let place = Place::new();
    drop(place.open().await);
    let newer = format!("UPDATE {}.about SET schema = 7", place.schema);
    Server::shared().ask(&newer).await;
    let error = try_open(&place.url).await.unwrap_err();
    assert!(matches!(error, LedgerError::Newer { found: 7, .. }), "{error}");
}

#[tokio::test]
async fn a_ledger_of_the_first_schema_is_brought_up_to_date_once() {
    let place = Place::new();
    append(&place.open().await, "a", [1, 2]).await;
    let schema = &place.schema;
    let first = format!("DROP TABLE {schema}.truncated_ids; UPDATE {schema}.about SET schema = 1");
    Server::shared().ask(&first).await;
    let opened = (0..4).map(|_| {
        let url = place.url.clone();
        tokio::spawn(async move { open(&url).await })
    });
    let mut ledgers = Vec::new();
    for one in opened.collect::<Vec<_>>() {
        ledgers.push(one.await.unwrap());
    }
    let event = || vec![events([3]).remove(0).with_id(EventId([7; 16]))];
    let third = ledgers[0].append(&stream("a"), Expected::Any, event()).await.unwrap();
    let gone = Retention::Truncated(Version(3));
    ledgers[1].retain(&stream("a"), Expected::Any, gone).await.unwrap();
    let again = ledgers[2].append(&stream("a"), Expected::Any, event()).await.unwrap();
    assert_eq!(again, third);
}

#[tokio::test]
async fn a_ledger_that_was_moved_takes_no_appends() {
    let place = Place::new();
    let ledger = place.open().await;
    append(&ledger, "a", [1]).await;
    let schema = &place.schema;
    let moved = format!(
        "BEGIN; UPDATE {schema}.appender SET token = token + 1, holder = '';
         UPDATE {schema}.about SET moved = 'elsewhere'; COMMIT;"
    );
    Server::shared().ask(&moved).await;
    let mut refused = None;
    for _ in 0..2 {
        refused = ledger.append(&stream("a"), Expected::Any, events([2])).await.err();
    }
    let refused = refused.unwrap();
    assert!(matches!(refused, AppendError::Ledger(LedgerError::Moved { .. })), "{refused}");
    assert_eq!(numbers(&ledger).await, [1]);
}

#[tokio::test]
async fn a_wrong_password_is_not_in_the_error() {
    let server = Server::shared();
    server.ask("DROP ROLE IF EXISTS guarded; CREATE ROLE guarded LOGIN PASSWORD 'right'").await;
    let url = Place::new().url.replace("postgres@", "guarded:very-wrong@");
    let error = try_open(&url).await.unwrap_err();
    let shown = format!("{error:?}");
    assert!(!shown.contains("very-wrong"), "{shown}");
    assert!(shown.contains("password authentication failed"), "{shown}");
    let url = Place::new().url.replace("postgres@", "guarded:right@");
    let error = try_open(&url).await.unwrap_err();
    assert!(matches!(error, LedgerError::NotWritable { .. }), "it may not make a schema: {error}");
    assert!(!format!("{error:?}").contains("guarded:"), "{error:?}");
}

#[tokio::test]
async fn who_may_only_read_can_read() {
    let server = Server::shared();
    let place = Place::new();
    let ledger = place.open().await;
    append(&ledger, "a", [1]).await;
    let schema = &place.schema;
    server
        .ask(&format!(
            "CREATE ROLE {schema}_reader LOGIN; GRANT USAGE ON SCHEMA {schema} TO {schema}_reader;
             GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {schema}_reader"
        ))
        .await;
    let reader = open(&place.url.replace("postgres@", &format!("{schema}_reader@"))).await;
    assert_eq!(numbers(&reader).await, [1]);
    let refused = reader.append(&stream("a"), Expected::Any, events([2])).await.unwrap_err();
    assert!(matches!(refused, AppendError::Ledger(LedgerError::NotWritable { .. })), "{refused}");
}

#[tokio::test]
async fn a_database_that_cannot_keep_every_text_is_refused() {
    let server = Server::shared();
    let make = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0";
    server.ask(make).await;
    let url = Place::new().url.replace("/postgres?", "/latin?");
    let error = format!("{:?}", try_open(&url).await.unwrap_err());
    assert!(error.contains("LATIN1"), "{error}");
    let url = Place::new().url.replace("/postgres?", "/no_such?");
    let error = try_open(&url).await.unwrap_err();
    assert!(matches!(error, LedgerError::Backend { .. }), "{error}");
}

#[tokio::test]
async fn connections_are_encrypted_when_asked_for() {
    let server = Server::shared();
    server.ask("DROP ROLE IF EXISTS tls; CREATE ROLE tls LOGIN SUPERUSER").await;
    let schema = Place::new().schema;
    let url = |options: &str| {
        format!("postgres://tls@127.0.0.1:{}/postgres?schema={schema}{options}", server.port())
    };
    let refused = try_open(&url("")).await.unwrap_err();
    assert!(format!("{refused:?}").contains("no encryption"), "{refused:?}");
    let ledger = open(&url("&sslmode=require")).await;
    append(&ledger, "a", [1]).await;
    let refused = try_open(&url("&sslmode=verify-full")).await.unwrap_err();
    assert!(format!("{refused:?}").contains("UnknownIssuer"), "{refused:?}");
    let authorities = format!("&sslrootcert={}", server.certificate().display());
    let ledger = open(&url(&format!("&sslmode=verify-full{authorities}"))).await;
    assert_eq!(numbers(&ledger).await, [1]);
}
