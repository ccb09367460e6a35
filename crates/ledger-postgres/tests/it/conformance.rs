use crate::place::Place;
use fairway_ledger::conformance::{self, Cases};

#[tokio::test]
async fn a_ledger_in_postgresql_does_what_every_ledger_does() {
    conformance::run(Cases::All, || Box::new(Place::new())).await;
}
