//! Following the ledger: first what is there, then what comes, nothing left out.

use crate::{
    error::LedgerError,
    event::{Event, Position},
    reader::{self, Reader},
};
use rusqlite::{Connection, Error};
use std::{collections::VecDeque, time::Duration};
use tokio::sync::watch;

/// Most events that are read ahead.
const AHEAD_MAX: usize = 500;
/// How often a subscription looks for what other processes committed. A look is a few microseconds:
/// it reads a counter in shared memory.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Events in order from a position on. Dropping a call of [`Subscription::next`] loses nothing.
#[derive(Debug)]
pub struct Subscription {
    reader: Reader,
    look: Connection,
    /// The counter when nothing new was found.
    seen: Option<u64>,
    wake: watch::Receiver<Position>,
    after: Position,
    ahead: VecDeque<Event>,
}

impl Subscription {
    pub(crate) fn new(
        reader: Reader,
        wake: watch::Receiver<Position>,
        after: Position,
    ) -> Result<Self, LedgerError> {
        let look = reader.connect()?;
        Ok(Self { reader, look, seen: None, wake, after, ahead: VecDeque::new() })
    }

    /// The position of the last event that was taken.
    pub fn position(&self) -> Position {
        self.after
    }

    /// Takes the next event; waits if there is none yet.
    pub async fn next(&mut self) -> Result<Event, LedgerError> {
        loop {
            if let Some(event) = self.take() {
                return Ok(event);
            }
            let counter = self.wait().await?;
            self.read().await?;
            self.seen = self.ahead.is_empty().then_some(counter);
        }
    }

    /// Takes the next event if there is one now.
    pub async fn try_next(&mut self) -> Result<Option<Event>, LedgerError> {
        if self.ahead.is_empty() {
            self.read().await?;
        }
        Ok(self.take())
    }

    fn take(&mut self) -> Option<Event> {
        let event = self.ahead.pop_front()?;
        self.after = event.position;
        Some(event)
    }

    async fn read(&mut self) -> Result<(), LedgerError> {
        let (after, reader) = (self.after, self.reader.clone());
        let read = move |connection: &Connection| {
            reader::all(connection, after, AHEAD_MAX).map_err(|error| reader.error(error))
        };
        self.ahead = self.reader.read(read).await?.into();
        Ok(())
    }

    /// Returns when there may be something new, with the counter to compare with the next time.
    async fn wait(&mut self) -> Result<u64, LedgerError> {
        loop {
            let counter = commits(&self.look).map_err(|error| self.reader.error(error))?;
            if self.seen != Some(counter) {
                return Ok(counter);
            }
            if let Ok(changed) = tokio::time::timeout(LOOK_EVERY, self.wake.changed()).await {
                changed.map_err(|_| LedgerError::Closed)?;
                self.seen = None;
            }
        }
    }
}

/// Changes with every commit of another connection, in this process or another.
fn commits(connection: &Connection) -> Result<u64, Error> {
    connection.prepare_cached("PRAGMA data_version")?.query_row((), |row| row.get(0))
}
