//! Following the ledger: first what is there, then what comes, nothing left out.

use crate::{
    error::LedgerError,
    event::{Event, Position},
    filter::Filter,
    read::{From, Read, Scope},
    store::{Store, Watch},
};
use std::{collections::VecDeque, sync::Arc};

/// Most events that are read ahead.
const AHEAD_MAX: usize = 1_000;

/// Events in order from a position on. It reads only as its owner takes: a slow one holds up nobody.
/// Dropping a call of [`Subscription::next`] loses nothing.
#[derive(Debug)]
pub struct Subscription {
    store: Arc<dyn Store>,
    watch: Box<dyn Watch>,
    filter: Filter,
    after: Position,
    /// Up to where events were read.
    read: Position,
    ahead: VecDeque<Event>,
    /// Whether there was nothing more at the last look.
    is_behind: bool,
}

impl Subscription {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        filter: Filter,
        after: Position,
    ) -> Result<Self, LedgerError> {
        let watch = store.watch()?;
        let (read, ahead) = (after, VecDeque::new());
        Ok(Self { store, watch, filter, after, read, ahead, is_behind: true })
    }

    /// Up to where everything was taken or did not pass the filter: from where to go on another
    /// time.
    pub fn position(&self) -> Position {
        if self.ahead.is_empty() { self.read.max(self.after) } else { self.after }
    }

    /// Takes the next event; waits if there is none yet.
    pub async fn next(&mut self) -> Result<Event, LedgerError> {
        loop {
            if let Some(event) = self.take() {
                return Ok(event);
            }
            if !self.is_behind {
                self.watch.changed().await?;
            }
            self.read().await?;
        }
    }

    /// Takes the next event if there is one now.
    pub async fn try_next(&mut self) -> Result<Option<Event>, LedgerError> {
        loop {
            if let Some(event) = self.take() {
                return Ok(Some(event));
            }
            self.read().await?;
            if self.ahead.is_empty() && !self.is_behind {
                return Ok(None);
            }
        }
    }

    /// Takes all events that were read ahead, after waiting for one at least.
    pub async fn next_page(&mut self) -> Result<Vec<Event>, LedgerError> {
        let first = self.next().await?;
        let mut page = Vec::with_capacity(1 + self.ahead.len());
        page.push(first);
        page.extend(std::mem::take(&mut self.ahead));
        self.after = page.last().map_or(self.after, |event| event.position);
        Ok(page)
    }

    fn take(&mut self) -> Option<Event> {
        let event = self.ahead.pop_front()?;
        self.after = event.position;
        Some(event)
    }

    /// Reads the next events that pass, if there are any.
    async fn read(&mut self) -> Result<(), LedgerError> {
        let from = From::After(self.read);
        let scope = match self.filter.only_category() {
            Some(category) => Scope::Category(category.to_owned(), from),
            None => Scope::All(from),
        };
        // If this is dropped here, the next look comes without being woken.
        self.is_behind = true;
        let page = self.store.read(Read::new(scope, AHEAD_MAX)).await?;
        self.is_behind = !page.is_empty();
        self.read = page.last().map_or(self.read, |event| event.position);
        self.ahead = page.into_iter().filter(|event| self.filter.passes(event)).collect();
        Ok(())
    }
}
