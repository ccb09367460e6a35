use crate::place::Place;
use fairway_ledger::{
    Clock,
    conformance::{self, Cases, checks::check_in_use},
};
use fairway_ledger_postgres::Postgres;
use std::sync::Arc;

#[tokio::test]
async fn a_ledger_in_postgresql_does_what_every_ledger_does() {
    conformance::run(Cases::All, || Box::new(Place::new())).await;
}

#[tokio::test]
async fn a_check_of_a_ledger_in_use_finds_nothing_wrong() {
    let place = Place::new();
    let ledger = Postgres::open(&place.url, Clock::system()).await.unwrap();
    check_in_use(Arc::new(ledger)).await;
}
