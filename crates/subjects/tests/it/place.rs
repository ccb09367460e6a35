//! Ledgers in temporary directories, with their keys in a file or on a server.

use crate::server::Server;
use fairway_ledger::{Ledger, NewEvent, Position, StreamName};
use fairway_subjects::{PERSONAL, Subjects, over};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

/// A ledger in a temporary directory: as clients see it, and as it is on disk.
pub(crate) struct Place {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) plain: Ledger,
    pub(crate) open: Ledger,
    pub(crate) subjects: Subjects,
    keys: Box<dyn Fn() -> Subjects + Send + Sync>,
}

impl Place {
    /// With keys in a file.
    pub(crate) fn in_a_file() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        Self::of(dir, move || Subjects::new(&keys))
    }

    /// With keys in a schema of their own.
    pub(crate) fn in_postgresql() -> Self {
        static PLACES: AtomicU32 = AtomicU32::new(0);
        let schema = format!("keys_{}", PLACES.fetch_add(1, Ordering::SeqCst));
        Self::on(Server::shared(), &schema)
    }

    /// With keys in a schema of a server.
    pub(crate) fn on(server: &Server, schema: &str) -> Self {
        let url = server.url(schema);
        Self::of(tempfile::tempdir().unwrap(), move || Subjects::in_postgres(&url).unwrap())
    }

    fn of(dir: tempfile::TempDir, keys: impl Fn() -> Subjects + Send + Sync + 'static) -> Self {
        let plain = Ledger::open(&dir.path().join("ledger")).unwrap();
        let subjects = keys();
        let open = over(&plain, subjects.clone());
        Self { dir, plain, open, subjects, keys: Box::new(keys) }
    }

    /// The same keys, as another process has them.
    pub(crate) fn same_keys(&self) -> Subjects {
        (self.keys)()
    }

    /// Whether a place for keys was made.
    pub(crate) async fn has_keys(&self) -> bool {
        let shown = self.subjects.place();
        let Some((_, schema)) = shown.split_once("?schema=") else {
            return Path::new(&shown).exists();
        };
        let schemas = format!("SELECT 1 FROM pg_namespace WHERE nspname = '{schema}'");
        Server::shared().ask(&schemas).await.is_some()
    }

    /// The names in all events, as clients see them.
    pub(crate) async fn names(&self) -> Vec<Value> {
        let events = self.open.read_all(Position(0), 100).await.unwrap();
        let events = events.iter().filter(|event| !event.stream.is_own());
        events.map(|event| event.decode::<Value>().unwrap()["name"].clone()).collect()
    }
}

pub(crate) fn stream() -> StreamName {
    "order-1".parse().unwrap()
}

/// An event with the name of a subject.
pub(crate) fn named(subject: &str, name: &str) -> NewEvent {
    let metadata = json!({ PERSONAL: { "subject": subject, "fields": ["/name"] } });
    let event = NewEvent::new("order-created", &json!({ "name": name, "total": 7 })).unwrap();
    event.with_metadata(&metadata).unwrap()
}

/// Whether any file below a folder has these bytes.
pub(crate) fn is_on_disk(dir: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(dir).unwrap().any(|file| {
        let file = std::fs::read(file.unwrap().path()).unwrap();
        file.windows(bytes.len()).any(|window| window == bytes)
    })
}

/// Runs tests with keys in a file and on a server: they are told nothing of which.
macro_rules! with_keys_anywhere {
    ($($test:ident,)*) => {
        mod in_a_file {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::place::Place::in_a_file()).await;
            })*
        }
        mod in_postgresql {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::place::Place::in_postgresql()).await;
            })*
        }
    };
}
pub(crate) use with_keys_anywhere;
