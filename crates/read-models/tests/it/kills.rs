//! The process that drives is killed at any moment; nothing is taken in twice or not at all.

use crate::{
    drivers::{COUNTED, Driver, append, counted},
    place::{Place, ask, at_least, name},
    server::Server,
    tables::Tables,
};
use fairway_read_models::ReadModels;
use std::hash::{BuildHasher, RandomState};

const ROUNDS: u64 = 30;
/// A new version is built from every fifth round on.
const ROUNDS_OF_A_VERSION: u64 = 5;

async fn kills_lose_and_double_nothing(tables: &Tables) {
    let place = Place::new();
    let ledger = place.ledger();
    let mut count = 0;
    let reader = ReadModels::open(ledger.clone(), tables.places(&place));
    for round in 0..ROUNDS {
        if round % ROUNDS_OF_A_VERSION == 0 {
            let version = round / ROUNDS_OF_A_VERSION + 1;
            reader.apply(&tables.declaration(COUNTED, version)).await.unwrap();
        }
        let driver = Driver::start(&ledger.place(), (&place, tables));
        let moment = RandomState::new().hash_one(round) % 20;
        for _ in 0..moment {
            append(&ledger, count..count + 700).await;
            count += 700;
        }
        drop(driver);
    }
    let last = append(&ledger, count..count + 1).await;
    count += 1;
    let (models, following) = ReadModels::start(ledger.clone(), tables.places(&place)).unwrap();
    models.wait(&name("orders"), at_least(last)).await.unwrap();
    let answer = ask(&models, "sum", &[], at_least(last)).await;
    assert_eq!(u64::from(answer.version), ROUNDS / ROUNDS_OF_A_VERSION);
    assert_eq!(answer.rows, counted(count));
    following.stop().await;
}

#[tokio::test]
async fn kills_in_rebuilds_and_in_live_following_lose_and_double_nothing() {
    kills_lose_and_double_nothing(&Tables::Sqlite).await;
}

#[tokio::test]
async fn kills_lose_and_double_nothing_in_postgres_either() {
    let tables = Tables::in_postgres(Server::shared(), "killed").await;
    kills_lose_and_double_nothing(&tables).await;
}
