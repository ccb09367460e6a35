//! A build that somebody else keeps. What is parked and how far it is stand in a SQLite file.

use super::post::{Post, Refused};
use crate::{
    held::{Held, Tried},
    plan::Plan,
    registry::Built,
    sqlite::{Place, standing},
    target::{Batch, PARKED_MAX, Parked, ParkedOf, Replay, Standing, Target, TargetError},
};
use async_trait::async_trait;
use fairway_ledger::{Event, Position};
use rusqlite::{Connection, Error};
use std::{collections::BTreeSet, sync::Arc, time::Instant};

/// Most events of one request.
const REQUEST_MAX: usize = 500;

/// A build that somebody else keeps.
pub(crate) struct CallbackTarget {
    place: Place,
    built: Built,
    plan: Plan,
    ledger: String,
    skipped: Arc<BTreeSet<u64>>,
    post: Post,
    open: Option<Book>,
}

/// The file while it is open.
struct Book {
    connection: Connection,
    held: Held,
    skipped: Arc<BTreeSet<u64>>,
    position: Position,
    asks: u64,
    parked: u64,
}

impl CallbackTarget {
    /// A build that is told at an address, for the ledger with an id.
    pub(crate) fn new(
        (place, address): (Place, String),
        built: Built,
        plan: Plan,
        (ledger, skipped): (String, Arc<BTreeSet<u64>>),
    ) -> Self {
        let post = Post::new(address, (built.declaration.name().to_string(), built.id));
        Self { place, built, plan, ledger, skipped, post, open: None }
    }

    fn book(&mut self) -> Result<&mut Book, TargetError> {
        if self.open.is_none() {
            let skipped = self.skipped.clone();
            self.open = Some(Book::open(&self.place, &self.built, (&self.ledger, skipped))?);
        }
        Ok(self.open.as_mut().expect("it was just opened"))
    }

    /// Events that are not skipped and do not wait.
    fn ready<'e>(&mut self, events: &'e [Event]) -> Result<Vec<&'e Event>, TargetError> {
        let plan = self.plan.clone();
        let book = self.book()?;
        if book.parked >= PARKED_MAX {
            return Err(TargetError::Full);
        }
        let goes = |event: &&Event| {
            let is_skipped = book.skipped.contains(&event.position.0);
            !is_skipped && (book.held.is_empty() || !book.held.holds(&plan.key(event)))
        };
        Ok(events.iter().filter(goes).collect())
    }

    fn standing(&self) -> Standing {
        let Some(book) = &self.open else { return Standing::default() };
        let due = book.held.due_in(Instant::now());
        Standing { position: book.position, asks: book.asks, parked: book.parked, due }
    }
}

impl Book {
    fn open(
        place: &Place,
        built: &Built,
        (ledger, skipped): (&str, Arc<BTreeSet<u64>>),
    ) -> Result<Self, TargetError> {
        let connection = place.open(built, ledger)?;
        let restore = || {
            let stored = standing::read(&connection)?;
            let held = Held::restore(standing::held(&connection)?.into_iter(), Instant::now());
            Ok((stored, held, standing::parked_count(&connection)?))
        };
        let (stored, held, parked) = restore().map_err(|error| place.error("read", error))?;
        if stored.ledger != ledger {
            let path = place.path().display();
            return Err(TargetError::Foreign(format!("`{path}` follows another ledger")));
        }
        let (position, asks) = (stored.position, stored.asks);
        Ok(Self { connection, held, skipped, position, asks, parked })
    }

    /// Notes what was told, and parks what was refused and what waits behind it.
    fn note(
        &mut self,
        plan: &Plan,
        (events, refused): (&[Event], &Refused),
        to: Position,
    ) -> Result<(), Error> {
        let transaction = self.connection.unchecked_transaction()?;
        for event in events {
            if self.skipped.contains(&event.position.0) {
                continue;
            }
            let key = plan.key(event);
            if let Some(why) = refused.get(&event.position.0) {
                standing::park(&transaction, event, &key, Some(why))?;
                self.held.fail(key, 1, Instant::now());
                self.parked += 1;
            } else if self.held.holds(&key) {
                standing::park(&transaction, event, &key, None)?;
                self.parked += 1;
            }
        }
        standing::write(&transaction, to, self.asks)?;
        transaction.commit()?;
        self.position = to;
        Ok(())
    }

    /// Notes what was told again.
    fn note_replay(
        &mut self,
        plan: &Plan,
        (replay, refused): (&Replay, &Refused),
    ) -> Result<(), Error> {
        let transaction = self.connection.unchecked_transaction()?;
        for position in &replay.left {
            standing::unpark(&transaction, *position)?;
        }
        let mut tried = Tried { is_of_all: replay.is_of_all, ..Tried::default() };
        for event in &replay.events {
            let key = plan.key(event);
            if tried.failed.contains(&key) || replay.left.contains(&event.position.0) {
                continue;
            }
            if let Some(why) = refused.get(&event.position.0) {
                let count = standing::fail(&transaction, event.position.0, why)?;
                self.held.fail(key.clone(), count, Instant::now());
                tried.failed.insert(key);
            } else {
                standing::unpark(&transaction, event.position.0)?;
                tried.taken.insert(key);
            }
        }
        self.held.settle(&standing::keys(&transaction)?, &tried, Instant::now());
        self.asks = replay.ask.unwrap_or(self.asks).max(self.asks);
        standing::write(&transaction, self.position, self.asks)?;
        self.parked = standing::parked_count(&transaction)?;
        transaction.commit()
    }
}

#[async_trait]
impl Target for CallbackTarget {
    async fn open(&mut self) -> Result<Standing, TargetError> {
        self.open = None;
        self.book()?;
        Ok(self.standing())
    }

    async fn apply(&mut self, batch: Batch) -> Result<Standing, TargetError> {
        self.book()?;
        let mut parts = batch.events.chunks(REQUEST_MAX).peekable();
        let mut is_left = true;
        while is_left {
            let part = parts.next().unwrap_or_default();
            is_left = parts.peek().is_some();
            let last = part.last().map_or(batch.to, |event| event.position);
            let to = if is_left { last } else { batch.to };
            let told = self.ready(part)?;
            let refused = self.post.tell(&self.plan, told, to).await?;
            let (place, plan) = (self.place.clone(), self.plan.clone());
            let noted = self.book()?.note(&plan, (part, &refused), to);
            noted.map_err(|error| place.error("write", error))?;
        }
        Ok(self.standing())
    }

    async fn parked(&mut self, of: ParkedOf, limit: usize) -> Result<Vec<Parked>, TargetError> {
        let place = self.place.clone();
        let book = self.book()?;
        let keys = book.held.due_keys(Instant::now());
        let read = || {
            let ParkedOf::Due = of else {
                return standing::parked(&book.connection, &of, limit);
            };
            let mut all = Vec::new();
            for key in keys {
                let left = limit.saturating_sub(all.len());
                all.extend(standing::parked(&book.connection, &ParkedOf::Key(key), left)?);
            }
            all.sort_by_key(|parked: &Parked| parked.position);
            Ok(all)
        };
        read().map_err(|error| place.error("read", error))
    }

    async fn replay(&mut self, replay: Replay) -> Result<Standing, TargetError> {
        let to = self.book()?.position;
        let goes = |event: &&Event| !replay.left.contains(&event.position.0);
        let told: Vec<&Event> = replay.events.iter().filter(goes).collect();
        let refused = self.post.tell(&self.plan, told, to).await?;
        let (place, plan) = (self.place.clone(), self.plan.clone());
        let noted = self.book()?.note_replay(&plan, (&replay, &refused));
        noted.map_err(|error| place.error("write", error))?;
        Ok(self.standing())
    }

    async fn remove(&mut self) -> Result<(), TargetError> {
        self.open = None;
        self.place.remove()
    }

    fn can_be_left(&self) -> bool {
        true
    }
}
