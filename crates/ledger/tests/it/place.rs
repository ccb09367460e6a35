//! A ledger in a temporary directory, and short ways to use it.

use fairway_ledger::{Expected, Ledger, NewEvent, Position, StreamName};
use std::path::PathBuf;

pub(crate) struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir_in("/var/tmp").unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("ledger")
    }

    pub(crate) fn open(&self) -> Ledger {
        Ledger::open(&self.path()).unwrap()
    }
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
    let mut versions = std::collections::HashMap::new();
    loop {
        let page = ledger.read_all(after, 1000).await.unwrap();
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
