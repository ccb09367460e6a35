//! A ledger moves to PostgreSQL and back, whatever happens to it meanwhile.

use crate::place::Place;
use fairway_ledger::{
    Clock, Portable,
    conformance::copies::{Happening, happening, play},
    open_portable,
};
use fairway_ledger_postgres::Postgres;
use proptest::prelude::*;
use std::{path::Path, sync::Arc};
use tokio::runtime::Builder;

async fn in_database(place: &Place) -> Arc<dyn Portable> {
    Arc::new(Postgres::open(&place.url, Clock::system()).await.unwrap())
}

fn in_file(path: &Path) -> Arc<dyn Portable> {
    open_portable(path, Clock::system()).unwrap()
}

/// There and back.
async fn move_twice(there: &[Happening], back: &[Happening]) {
    let dir = tempfile::tempdir_in("/var/tmp").unwrap();
    let (first, last) = (dir.path().join("first"), dir.path().join("last"));
    let (from, place) = (in_file(&first), Place::new());
    assert!(in_database(&place).await.adopt(from.id(), from.place()).await.unwrap());
    let middle = in_database(&place).await;
    play(from, middle.clone(), there).await;
    assert!(in_file(&last).adopt(middle.id(), middle.place()).await.unwrap());
    play(middle, in_file(&last), back).await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn a_ledger_that_moved_twice_is_the_same(
        there in prop::collection::vec(happening(), 0..30),
        back in prop::collection::vec(happening(), 0..30),
    ) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(move_twice(&there, &back));
    }
}
