//! Waiting for commits: those of this process are told, those of others are looked for.

use crate::{error::LedgerError, event::Position, store::Watch};
use async_trait::async_trait;
use rusqlite::{Connection, Error};
use std::{
    sync::{Arc, Weak},
    thread,
    time::Duration,
};
use tokio::sync::watch;

/// How often other processes' commits are looked for. A look is a few microseconds: it reads a
/// counter in shared memory.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Waits for the next commit.
#[derive(Debug)]
pub(crate) struct Commits(watch::Receiver<Position>);

/// Keeps the looking thread alive.
#[derive(Debug)]
pub(crate) struct Looking(
    #[expect(dead_code, reason = "it is the dropping that is noticed")] Arc<()>,
);

impl Commits {
    pub(crate) fn new(head: &watch::Sender<Position>) -> Self {
        let mut commits = head.subscribe();
        commits.mark_changed();
        Self(commits)
    }
}

#[async_trait]
impl Watch for Commits {
    async fn changed(&mut self) -> Result<(), LedgerError> {
        self.0.changed().await.map_err(|_| LedgerError::Closed)
    }
}

/// Starts to look for commits of others, for as long as the answer lives.
pub(crate) fn look(
    connection: Connection,
    head: watch::Sender<Position>,
) -> Result<Looking, LedgerError> {
    let alive = Arc::new(());
    let looking = Arc::downgrade(&alive);
    let thread = thread::Builder::new().name("ledger-watch".to_owned());
    let started = thread.spawn(move || watch_others(&connection, &head, &looking));
    started.map(|_| Looking(alive)).map_err(|_| LedgerError::Closed)
}

fn watch_others(connection: &Connection, head: &watch::Sender<Position>, alive: &Weak<()>) {
    let mut seen = None;
    while alive.strong_count() > 0 {
        // A look that fails wakes those who wait: what is wrong they find out when they read.
        let counter = commits(connection).ok();
        if counter.is_none() || counter != seen {
            seen = counter;
            head.send_modify(|_| {});
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Changes with every commit of another connection, in this process or another.
fn commits(connection: &Connection) -> Result<u64, Error> {
    connection.prepare_cached("PRAGMA data_version")?.query_row((), |row| row.get(0))
}
