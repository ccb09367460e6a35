//! Takes in events with their checkpoint, in one transaction.

use super::{
    run::{Failed, Prepared},
    standing,
};
use crate::{
    held::{Held, Tried},
    plan::Plan,
    target::{Batch, PARKED_MAX, Replay},
};
use fairway_ledger::{Event, Position};
use rusqlite::{Connection, Error, Transaction, TransactionBehavior};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

/// What takes in events, and what it has to remember from one batch to the next.
#[derive(Debug)]
pub(super) struct Applier {
    pub(super) plan: Plan,
    pub(super) held: Held,
    pub(super) skipped: std::sync::Arc<BTreeSet<u64>>,
    pub(super) position: Position,
    pub(super) asks: u64,
    pub(super) parked: u64,
}

/// Why nothing was taken in.
#[derive(Debug)]
pub(super) enum Stopped {
    File(Error),
    Full,
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::File(error)
    }
}

/// Why a transaction was not finished.
enum Broken {
    Stopped(Stopped),
    /// The statements for the event at this position ended the transaction.
    By(u64, String),
}

impl<E: Into<Stopped>> From<E> for Broken {
    fn from(error: E) -> Self {
        Self::Stopped(error.into())
    }
}

impl Applier {
    /// Takes in a batch; what fails is parked.
    pub(super) fn apply(
        &mut self,
        connection: &mut Connection,
        batch: &Batch,
    ) -> Result<(), Stopped> {
        self.in_transaction(connection, |applier, transaction, poisoned| {
            let mut prepared = Prepared::new(transaction, &applier.plan)?;
            let mut found = Vec::new();
            for event in &batch.events {
                applier.take((transaction, &mut prepared), event, poisoned, &mut found)?;
            }
            applier.position = batch.to;
            Ok(())
        })
    }

    /// Tries parked events again, in order; a key ends with the first that fails.
    pub(super) fn replay(
        &mut self,
        connection: &mut Connection,
        replay: &Replay,
    ) -> Result<(), Stopped> {
        self.in_transaction(connection, |applier, transaction, poisoned| {
            for position in &replay.left {
                standing::unpark(transaction, *position)?;
            }
            let mut prepared = Prepared::new(transaction, &applier.plan)?;
            let mut tried = Tried { is_of_all: replay.is_of_all, ..Tried::default() };
            let mut found = Vec::new();
            for event in &replay.events {
                let key = applier.plan.key(event);
                if tried.failed.contains(&key) || replay.left.contains(&event.position.0) {
                    continue;
                }
                if applier.again((transaction, &mut prepared), event, poisoned, &mut found)? {
                    standing::unpark(transaction, event.position.0)?;
                    tried.taken.insert(key);
                } else {
                    tried.failed.insert(key);
                }
            }
            applier.held.settle(&standing::keys(transaction)?, &tried, Instant::now());
            applier.asks = replay.ask.unwrap_or(applier.asks).max(applier.asks);
            applier.parked = standing::parked_count(transaction)?;
            Ok(())
        })
    }

    /// Does work in a transaction, again if an event's own statements end it.
    fn in_transaction(
        &mut self,
        connection: &mut Connection,
        mut work: impl FnMut(&mut Self, &Transaction, &BTreeMap<u64, String>) -> Result<(), Broken>,
    ) -> Result<(), Stopped> {
        let before = (self.held.clone(), self.position, self.asks, self.parked);
        let mut poisoned = BTreeMap::new();
        loop {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(self, &transaction, &poisoned).and_then(|()| {
                standing::write(&transaction, self.position, self.asks)?;
                transaction.commit()?;
                Ok(())
            });
            let Err(broken) = done else { return Ok(()) };
            (self.held, self.position, self.asks, self.parked) = before.clone();
            match broken {
                Broken::Stopped(stopped) => return Err(stopped),
                Broken::By(position, error) => poisoned.insert(position, error),
            };
        }
    }

    fn take<'e>(
        &mut self,
        (transaction, prepared): (&Connection, &mut Prepared),
        event: &'e Event,
        poisoned: &BTreeMap<u64, String>,
        found: &mut Vec<Option<&'e str>>,
    ) -> Result<(), Broken> {
        let Some(at) = self.plan.handler_of(event) else { return Ok(()) };
        if !self.skipped.is_empty() && self.skipped.contains(&event.position.0) {
            return Ok(());
        }
        if !self.held.is_empty() {
            let key = self.plan.key(event);
            if self.held.holds(&key) {
                return self.park(transaction, event, &key, None);
            }
        }
        let handler = (at, &self.plan.handlers()[at]);
        match attempt((transaction, prepared), handler, (event, poisoned), found)? {
            None => Ok(()),
            Some(error) => {
                let key = self.plan.key(event);
                self.park(transaction, event, &key, Some(&error))?;
                self.held.fail(key, 1, Instant::now());
                Ok(())
            }
        }
    }

    /// Tries a parked event; false if it failed once more.
    fn again<'e>(
        &mut self,
        (transaction, prepared): (&Connection, &mut Prepared),
        event: &'e Event,
        poisoned: &BTreeMap<u64, String>,
        found: &mut Vec<Option<&'e str>>,
    ) -> Result<bool, Broken> {
        let Some(at) = self.plan.handler_of(event) else { return Ok(true) };
        let handler = (at, &self.plan.handlers()[at]);
        let failed = attempt((transaction, prepared), handler, (event, poisoned), found)?;
        let Some(error) = failed else { return Ok(true) };
        let tries = standing::fail(transaction, event.position.0, &error)?;
        self.held.fail(self.plan.key(event), tries, Instant::now());
        Ok(false)
    }

    fn park(
        &mut self,
        transaction: &Connection,
        event: &Event,
        key: &str,
        error: Option<&str>,
    ) -> Result<(), Broken> {
        if self.parked >= PARKED_MAX {
            return Err(Stopped::Full.into());
        }
        self.parked += 1;
        Ok(standing::park(transaction, event, key, error)?)
    }
}

/// Runs an event's statements; says why it failed.
fn attempt<'e>(
    (transaction, prepared): (&Connection, &mut Prepared),
    handler: (usize, &crate::plan::Handler),
    (event, poisoned): (&'e Event, &BTreeMap<u64, String>),
    found: &mut Vec<Option<&'e str>>,
) -> Result<Option<String>, Broken> {
    if let Some(error) = poisoned.get(&event.position.0) {
        return Ok(Some(error.clone()));
    }
    match prepared.run(handler, event, found) {
        Ok(()) => Ok(None),
        Err(Failed::File(error)) => Err(error.into()),
        Err(Failed::Event(error)) if transaction.is_autocommit() => {
            Err(Broken::By(event.position.0, error))
        }
        Err(Failed::Event(error)) => Ok(Some(error)),
    }
}
