//! Connections for readers, kept for the next one.

use crate::{
    address::Address,
    back_off::BackOff,
    connection::{Link, READER_PATIENCE},
    error::Fault,
};
use fairway_ledger::LedgerError;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;

/// Most connections at once; who comes later waits.
const LINKS_MAX: usize = 8;
/// Most connections that are kept open while nobody reads.
const IDLE_MAX: usize = 4;
/// How long a server that is away is tried.
const REACH_MAX: Duration = Duration::from_secs(10);

/// Connections of readers.
#[derive(Debug)]
pub(crate) struct Pool {
    address: Arc<Address>,
    permits: Semaphore,
    idle: Mutex<Vec<Arc<Link>>>,
}

/// What is done with the connection of work that is dropped in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dropped {
    /// It is kept: what is still to be answered is not waited for.
    Kept,
    /// It is closed, and with that its transaction undone.
    Closed,
}

/// A connection while it is used.
#[derive(Debug)]
struct Lent<'a> {
    pool: &'a Pool,
    link: Arc<Link>,
    after: Dropped,
}

impl Lent<'_> {
    async fn work<T, F>(mut self, work: impl Fn(Arc<Link>) -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let done = work(self.link.clone()).await;
        // After a fault there may be a transaction to undo.
        self.after = if done.is_ok() { Dropped::Kept } else { Dropped::Closed };
        done
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if self.after == Dropped::Kept {
            self.pool.put(self.link.clone());
        }
    }
}

impl Pool {
    pub(crate) fn new(address: Arc<Address>, first: Link) -> Self {
        let idle = Mutex::new(vec![Arc::new(first)]);
        Self { address, permits: Semaphore::new(LINKS_MAX), idle }
    }

    /// Reads with a connection; again with a new one, if the server was away.
    pub(crate) async fn read<T, F>(&self, work: impl Fn(Arc<Link>) -> F) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        self.work(Dropped::Kept, work).await
    }

    /// Does some work in a transaction, as [`Pool::read`] reads. Work that is done twice has to come
    /// to the same.
    pub(crate) async fn write<T, F>(&self, work: impl Fn(Arc<Link>) -> F) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        self.work(Dropped::Closed, work).await
    }

    async fn work<T, F>(
        &self,
        dropped: Dropped,
        work: impl Fn(Arc<Link>) -> F,
    ) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let _permit = self.permits.acquire().await.map_err(|_| LedgerError::Closed)?;
        let mut back_off = BackOff::until(REACH_MAX);
        loop {
            let done = match self.take().await {
                Ok(link) => self.lend(link, dropped).work(&work).await,
                Err(fault) => Err(fault),
            };
            match done {
                Err(fault) if fault.is_passing() && !back_off.is_over() => {
                    // What is kept was most likely cut off as well.
                    self.idle().clear();
                    back_off.pause().await;
                }
                done => return done.map_err(|fault| fault.at(self.address.place())),
            }
        }
    }

    fn lend(&self, link: Arc<Link>, dropped: Dropped) -> Lent<'_> {
        Lent { pool: self, link, after: dropped }
    }

    async fn take(&self) -> Result<Arc<Link>, Fault> {
        let idle = self.idle().pop();
        match idle {
            Some(link) if !link.is_closed() => Ok(link),
            _ => Link::connect(&self.address, READER_PATIENCE).await.map(Arc::new),
        }
    }

    fn put(&self, link: Arc<Link>) {
        let mut idle = self.idle();
        if idle.len() < IDLE_MAX {
            idle.push(link);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Link>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
