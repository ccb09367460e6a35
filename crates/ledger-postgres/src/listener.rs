//! Waiting for commits: those of this process are told, those of others are notified by the server,
//! and looked for in case a notification was lost.

use crate::{
    address::Address,
    connection::{APPENDER_PATIENCE, Link},
    error::Fault,
    reader,
    task::Task,
};
use async_trait::async_trait;
use fairway_ledger::{LedgerError, Position, Watch};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::sync::watch;

/// How often other processes' commits are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long to wait before a server that is away is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// Waits for the next commit.
#[derive(Debug)]
pub(crate) struct Commits(watch::Receiver<Position>);

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

/// Listens for commits of others, for as long as the answer lives.
pub(crate) fn listen(address: Arc<Address>, head: watch::Sender<Position>) -> Task {
    Task::start(async move {
        loop {
            // Whatever is wrong with the server, who reads finds it out; here it is waited for.
            let Err(_) = follow(&address, &head).await;
            tokio::time::sleep(PAUSE).await;
        }
    })
}

async fn follow(address: &Address, head: &watch::Sender<Position>) -> Result<Infallible, Fault> {
    let link = Link::connect(address, APPENDER_PATIENCE).await?;
    match link.run(&format!("LISTEN {}", address.events_channel())).await {
        // A copy of a server that only reads tells nobody of anything, but can be looked at.
        Err(fault) if !fault.is_refusal() => return Err(fault),
        _ => {}
    }
    loop {
        let position = reader::head(&link).await?;
        head.send_if_modified(|known| {
            let is_news = position > *known;
            *known = position.max(*known);
            is_news
        });
        tokio::select! {
            () = link.told.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
