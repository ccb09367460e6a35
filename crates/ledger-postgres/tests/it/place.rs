//! Ledgers in a server, each in a schema of its own, and short ways to use them.

use crate::server::Server;
use async_trait::async_trait;
use fairway_ledger::{Clock, Event, Expected, Ledger, NewEvent, Position, StreamName, conformance};
use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

/// Where one ledger is.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) schema: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::on(Server::shared())
    }

    pub(crate) fn on(server: &Server) -> Self {
        static PLACES: AtomicU64 = AtomicU64::new(0);
        let schema = format!("place_{}", PLACES.fetch_add(1, Ordering::Relaxed));
        Self { url: server.url(&schema), schema }
    }

    pub(crate) async fn open(&self) -> Ledger {
        open(&self.url).await
    }
}

#[async_trait]
impl conformance::Place for Place {
    async fn open(&self, clock: Clock) -> Ledger {
        fairway_ledger_postgres::open(&self.url, clock).await.unwrap()
    }

    async fn forbid_removals(&self) {
        let schema = &self.schema;
        let sql = format!(
            "CREATE FUNCTION {schema}.kept() RETURNS trigger LANGUAGE plpgsql
                 AS $$ BEGIN RAISE 'kept'; END $$;
             CREATE TRIGGER kept BEFORE DELETE ON {schema}.events
                 FOR EACH ROW EXECUTE FUNCTION {schema}.kept()"
        );
        Server::shared().ask(&sql).await;
    }

    async fn allow_removals(&self) {
        let schema = &self.schema;
        Server::shared().ask(&format!("DROP FUNCTION {schema}.kept() CASCADE")).await;
    }
}

pub(crate) async fn open(url: &str) -> Ledger {
    fairway_ledger_postgres::open(url, Clock::system()).await.unwrap()
}

pub(crate) fn stream(name: &str) -> StreamName {
    name.parse().unwrap()
}

pub(crate) fn events(numbers: impl IntoIterator<Item = u64>) -> Vec<NewEvent> {
    numbers.into_iter().map(|number| NewEvent::new("counted", &number).unwrap()).collect()
}

pub(crate) async fn append(ledger: &Ledger, name: &str, numbers: impl IntoIterator<Item = u64>) {
    ledger.append(&stream(name), Expected::Any, events(numbers)).await.unwrap();
}

/// All numbers of the ledger in order, after checking that positions and versions have no gap.
pub(crate) async fn numbers(ledger: &Ledger) -> Vec<u64> {
    let (mut after, mut numbers) = (Position(0), Vec::new());
    let mut versions: HashMap<StreamName, u64> = HashMap::new();
    loop {
        let page: Vec<Event> = ledger.read_all(after, 1000).await.unwrap();
        if page.is_empty() {
            assert_eq!(ledger.head().await.unwrap(), after);
            return numbers;
        }
        for event in page {
            assert_eq!(event.position.0, after.0 + 1, "no gap in the ledger");
            after = event.position;
            let version = versions.entry(event.stream.clone()).or_insert(0);
            *version += 1;
            assert_eq!(event.version.0, *version, "no gap in `{}`", event.stream);
            numbers.push(event.decode().unwrap());
        }
    }
}
