//! Takes in events with their checkpoint, in one transaction.

use super::{
    run::{Failed, Prepared},
    standing,
};
use crate::{
    intake::{Again, Full, Intake, Turn},
    plan::Plan,
    target::{Batch, Replay},
};
use fairway_ledger::Event;
use rusqlite::{Connection, Error, TransactionBehavior};
use std::{collections::BTreeMap, time::Instant};

/// What takes in events.
#[derive(Debug)]
pub(super) struct Applier {
    pub(super) plan: Plan,
    pub(super) intake: Intake,
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

impl From<Full> for Stopped {
    fn from(Full: Full) -> Self {
        Self::Full
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

/// Events whose statements end the transaction, and why.
type Poisoned = BTreeMap<u64, String>;

impl Applier {
    /// Takes in a batch; what fails is parked.
    pub(super) fn apply(
        &mut self,
        connection: &mut Connection,
        batch: &Batch,
    ) -> Result<(), Stopped> {
        self.in_transaction(connection, |work| {
            for event in &batch.events {
                work.take(event)?;
            }
            work.intake.position = batch.to;
            Ok(())
        })
    }

    /// Tries parked events again, in order; a key ends with the first that fails.
    pub(super) fn replay(
        &mut self,
        connection: &mut Connection,
        replay: &Replay,
    ) -> Result<(), Stopped> {
        self.in_transaction(connection, |work| {
            for position in &replay.left {
                standing::unpark(work.transaction, *position)?;
            }
            let mut again = Again::of(replay);
            for event in &replay.events {
                work.take_again(event, &mut again)?;
            }
            let keys = standing::keys(work.transaction)?;
            let parked = standing::parked_count(work.transaction)?;
            work.intake.settle(&again, (parked, &keys), Instant::now());
            Ok(())
        })
    }

    /// Does work in a transaction, again if an event's own statements end it.
    fn in_transaction<'e>(
        &mut self,
        connection: &mut Connection,
        mut work: impl FnMut(&mut Work<'_, 'e>) -> Result<(), Broken>,
    ) -> Result<(), Stopped> {
        let mut poisoned = Poisoned::new();
        loop {
            let mut intake = self.intake.clone();
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = Work::new(&self.plan, &mut intake, (&transaction, &poisoned))
                .and_then(|mut all| work(&mut all));
            match done {
                Ok(()) => {
                    standing::write(&transaction, intake.position, intake.asks)?;
                    transaction.commit()?;
                    self.intake = intake;
                    return Ok(());
                }
                Err(Broken::Stopped(stopped)) => return Err(stopped),
                Err(Broken::By(position, error)) => poisoned.insert(position, error),
            };
        }
    }
}

/// A transaction while it is open.
struct Work<'t, 'e> {
    plan: &'t Plan,
    intake: &'t mut Intake,
    transaction: &'t Connection,
    poisoned: &'t Poisoned,
    prepared: Prepared<'t>,
    /// Room that is used again.
    found: Vec<Option<&'e str>>,
}

impl<'t, 'e> Work<'t, 'e> {
    fn new(
        plan: &'t Plan,
        intake: &'t mut Intake,
        (transaction, poisoned): (&'t Connection, &'t Poisoned),
    ) -> Result<Self, Broken> {
        let prepared = Prepared::new(transaction, plan)?;
        Ok(Self { plan, intake, transaction, poisoned, prepared, found: Vec::new() })
    }

    fn take(&mut self, event: &'e Event) -> Result<(), Broken> {
        let Some(at) = self.plan.handler_of(event) else { return Ok(()) };
        match self.intake.turn(event.position, || self.plan.key(event)) {
            Turn::Skip => {}
            Turn::Wait => {
                self.park(event, None)?;
                self.intake.wait();
            }
            Turn::Try => {
                if let Some(error) = self.attempt(at, event)? {
                    self.park(event, Some(&error))?;
                    self.intake.fail(self.plan.key(event), Instant::now());
                }
            }
        }
        Ok(())
    }

    fn take_again(&mut self, event: &'e Event, again: &mut Again) -> Result<(), Broken> {
        let key = self.plan.key(event);
        if !again.is_due(event.position, &key) {
            return Ok(());
        }
        let error = match self.plan.handler_of(event) {
            Some(at) => self.attempt(at, event)?,
            None => None,
        };
        if let Some(error) = error {
            let tries = standing::fail(self.transaction, event.position.0, &error)?;
            self.intake.fail_again(again, (key, tries), Instant::now());
        } else {
            standing::unpark(self.transaction, event.position.0)?;
            again.take(key);
        }
        Ok(())
    }

    fn park(&self, event: &Event, error: Option<&str>) -> Result<(), Broken> {
        self.intake.room()?;
        Ok(standing::park(self.transaction, event, &self.plan.key(event), error)?)
    }

    /// Runs an event's statements; says why it failed.
    fn attempt(&mut self, at: usize, event: &'e Event) -> Result<Option<String>, Broken> {
        if let Some(error) = self.poisoned.get(&event.position.0) {
            return Ok(Some(error.clone()));
        }
        let handler = (at, &self.plan.handlers()[at]);
        match self.prepared.run(handler, event, &mut self.found) {
            Ok(()) => Ok(None),
            Err(Failed::File(error)) => Err(error.into()),
            Err(Failed::Event(error)) if self.transaction.is_autocommit() => {
                Err(Broken::By(event.position.0, error))
            }
            Err(Failed::Event(error)) => Ok(Some(error)),
        }
    }
}
