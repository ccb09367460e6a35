//! Keys on a server, which several machines share.

use crate::{
    place::{Place, named, stream},
    server::Server,
};
use fairway_ledger::{AppendError, Expected, LedgerError, Position};
use fairway_subjects::{Subjects, over};
use futures_util::future::join_all;
use serde_json::Value;
use std::time::Duration;

#[tokio::test]
async fn machines_that_make_a_key_at_once_have_the_same() {
    let place = Place::in_postgresql();
    let machines = [(); 4].map(|()| over(&place.plain, place.same_keys()));
    for round in 0..10 {
        let subject = format!("ada-{round}");
        let appends = machines.iter().map(async |ledger| {
            let (stream, event) = (stream(), vec![named(&subject, "Ada")]);
            ledger.append(&stream, Expected::Any, event).await.unwrap();
        });
        join_all(appends).await;
    }
    let names = place.names().await;
    assert_eq!(names.len(), 40);
    assert!(names.iter().all(|name| name == "Ada"), "{names:?}");
}

#[tokio::test]
async fn a_server_that_restarts_is_waited_for() {
    let server = Server::start_apart().await;
    let place = Place::on(&server, "keys");
    for (round, mode) in ["fast", "immediate"].into_iter().enumerate() {
        let event = vec![named(&format!("ada-{round}"), "Ada")];
        place.open.append(&stream(), Expected::Any, event).await.unwrap();
        server.restart(mode);
        assert_eq!(place.names().await, vec![Value::from("Ada"); round + 1]);
    }
    assert!(place.subjects.forget("ada-0").await.unwrap());
    server.restart("immediate");
    assert_eq!(place.names().await, [Value::Null, "Ada".into()]);
}

#[tokio::test]
async fn personal_data_are_not_read_without_their_keys_server() {
    let server = Server::start_apart().await;
    let place = Place::on(&server, "keys");
    place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await.unwrap();
    server.stop();
    let read = tokio::time::timeout(Duration::from_mins(1), place.open.read_all(Position(0), 9));
    let refused = read.await.unwrap().unwrap_err();
    assert!(matches!(refused, LedgerError::Unreachable { .. }), "{refused}");
}

#[tokio::test]
async fn many_wait_for_a_keys_server_that_is_away_no_longer_than_one() {
    let server = Server::start_apart().await;
    let place = Place::on(&server, "keys");
    place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await.unwrap();
    server.stop();
    let open = over(&place.plain, place.same_keys());
    let append = async || open.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await;
    let appends = join_all((0..10).map(|_| append()));
    for refused in tokio::time::timeout(Duration::from_mins(1), appends).await.unwrap() {
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, AppendError::Ledger(LedgerError::Unreachable { .. })),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn keys_are_in_a_schema_that_only_its_owner_reads() {
    let place = Place::in_postgresql();
    place.open.append(&stream(), Expected::Any, vec![named("ada", "Ada")]).await.unwrap();
    let shown = place.subjects.place();
    let (_, schema) = shown.split_once("?schema=").unwrap();
    let readable = format!(
        "SELECT count(*) FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%' \
        AND NOT rolsuper AND has_schema_privilege(rolname, '{schema}', 'USAGE')"
    );
    let server = Server::shared();
    assert_eq!(server.ask(&readable).await.as_deref(), Some("0"));
    let keys = async || server.ask(&format!("SELECT count(*) FROM {schema}.keys")).await.unwrap();
    assert_eq!(keys().await, "1");
    place.subjects.forget("ada").await.unwrap();
    assert_eq!(keys().await, "0");
}

#[test]
fn what_is_no_address_is_refused_and_no_password_is_shown() {
    assert!(Subjects::in_postgres("postgres://h").is_err());
    let subjects = Subjects::in_postgres("postgres://ann:s3cret@h/db").unwrap();
    assert_eq!(subjects.place(), "postgres://h:5432/db");
    assert!(!format!("{subjects:?}").contains("s3cret"));
}
