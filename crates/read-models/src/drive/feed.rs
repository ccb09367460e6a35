//! Reads a ledger for one build, ahead of what is taken in.

use crate::target::Batch;
use fairway_ledger::{Event, Filter, From, Ledger, LedgerError, Position, Read, Scope};
use std::time::Duration;
use tokio::sync::mpsc;

/// Most events of one batch that is read ahead.
const PAGE: usize = 5_000;
/// Batches that are read ahead.
const AHEAD: usize = 2;
/// The pause after the ledger could not be read.
const PAUSE: Duration = Duration::from_secs(1);

/// The stream and the kind of the facts that say who is forgotten.
const SUBJECTS: &str = "$subjects";
pub(crate) const FORGOTTEN: &str = "subject-forgotten";

/// Which events a build takes in.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Those of services.
    pub(crate) filter: Filter,
    /// Whether it wants to know who is forgotten, to remove what it copied.
    pub(crate) forgotten: bool,
}

impl Wanted {
    fn passes(&self, event: &Event) -> bool {
        let is_forgotten = || event.kind == FORGOTTEN && event.stream.as_str() == SUBJECTS;
        self.filter.passes(event) || (self.forgotten && is_forgotten())
    }

    fn scope(&self, from: From<Position>) -> Scope {
        match self.filter.categories.as_slice() {
            [category] if !self.forgotten => Scope::Category(category.clone(), from),
            _ => Scope::All(from),
        }
    }
}

/// What comes from a ledger.
#[derive(Debug)]
pub(super) enum Fed {
    /// Events; more may be there.
    Batch(Batch),
    /// Nothing was left out up to this position, and there was no more.
    AllUpTo(Position),
    /// The ledger cannot be read now.
    Failing(String),
}

/// Reads on a task of its own until the receiver is dropped.
pub(super) fn start(ledger: Ledger, wanted: Wanted, after: Position) -> mpsc::Receiver<Fed> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let mut reader = Reader { ledger, wanted, at: after };
        while let Err(error) = reader.run(&sender).await {
            if sender.send(Fed::Failing(error.to_string())).await.is_err() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    receiver
}

struct Reader {
    ledger: Ledger,
    wanted: Wanted,
    at: Position,
}

impl Reader {
    /// Reads until nobody takes what is read.
    async fn run(&mut self, to: &mpsc::Sender<Fed>) -> Result<(), LedgerError> {
        let mut watch = self.ledger.store().watch()?;
        loop {
            let fed = self.next().await?;
            let is_all = matches!(fed, Fed::AllUpTo(_));
            if to.send(fed).await.is_err() {
                return Ok(());
            }
            if is_all {
                tokio::select! {
                    () = to.closed() => return Ok(()),
                    changed = watch.changed() => changed?,
                }
            }
        }
    }

    async fn next(&mut self) -> Result<Fed, LedgerError> {
        if let Some(batch) = self.page().await? {
            return Ok(Fed::Batch(batch));
        }
        // What is not found after the head was asked for is not before it.
        let head = self.ledger.head().await?;
        if let Some(batch) = self.page().await? {
            return Ok(Fed::Batch(batch));
        }
        self.at = self.at.max(head);
        Ok(Fed::AllUpTo(self.at))
    }

    /// The next page; none if there is nothing.
    async fn page(&mut self) -> Result<Option<Batch>, LedgerError> {
        let scope = self.wanted.scope(From::After(self.at));
        let page = self.ledger.read(Read::new(scope, PAGE)).await?;
        let Some(last) = page.last() else { return Ok(None) };
        self.at = last.position;
        let events = page.into_iter().filter(|event| self.wanted.passes(event)).collect();
        Ok(Some(Batch { events, to: self.at }))
    }
}
