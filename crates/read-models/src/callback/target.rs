//! A build that somebody else keeps. What is parked and how far it is stand in a SQLite file.

use super::post::{Post, Refused};
use crate::{
    intake::{Again, Intake, Turn},
    plan::Plan,
    registry::Built,
    sqlite::{Place, standing},
    target::{Batch, Parked, ParkedOf, Replay, Standing, Target, TargetError},
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
    intake: Intake,
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
        book.intake.room()?;
        let turn = |event: &Event| book.intake.turn(event.position, || plan.key(event));
        Ok(events.iter().filter(|event| turn(event) == Turn::Try).collect())
    }

    fn standing(&self) -> Standing {
        let open = self.open.as_ref();
        open.map_or_else(Standing::default, |book| book.intake.standing(Instant::now()))
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
            let held = standing::held(&connection)?;
            Ok((stored, held, standing::parked_count(&connection)?))
        };
        let (stored, held, parked) = restore().map_err(|error| place.error("read", error))?;
        if stored.ledger != ledger {
            let path = place.path().display();
            return Err(TargetError::Foreign(format!("`{path}` follows another ledger")));
        }
        let far = (stored.position, stored.asks);
        let intake = Intake::restore(far, (held, parked), skipped, Instant::now());
        Ok(Self { connection, intake })
    }

    /// Notes what was told, and parks what was refused and what waits behind it.
    fn note(
        &mut self,
        plan: &Plan,
        (events, refused): (&[Event], &Refused),
        to: Position,
    ) -> Result<(), Error> {
        let mut intake = self.intake.clone();
        intake.position = to;
        let transaction = self.connection.unchecked_transaction()?;
        for event in events {
            let key = plan.key(event);
            match (intake.turn(event.position, || key.clone()), refused.get(&event.position.0)) {
                (Turn::Skip, _) | (Turn::Try, None) => {}
                (Turn::Wait, _) => {
                    standing::park(&transaction, event, &key, None)?;
                    intake.wait();
                }
                (Turn::Try, Some(why)) => {
                    standing::park(&transaction, event, &key, Some(why))?;
                    intake.fail(key, Instant::now());
                }
            }
        }
        standing::write(&transaction, to, intake.asks)?;
        transaction.commit()?;
        self.intake = intake;
        Ok(())
    }

    /// Notes what was told again.
    fn note_replay(
        &mut self,
        plan: &Plan,
        (replay, refused): (&Replay, &Refused),
    ) -> Result<(), Error> {
        let (mut intake, mut again) = (self.intake.clone(), Again::of(replay));
        let transaction = self.connection.unchecked_transaction()?;
        for position in &replay.left {
            standing::unpark(&transaction, *position)?;
        }
        for event in &replay.events {
            let key = plan.key(event);
            if !again.is_due(event.position, &key) {
                continue;
            }
            if let Some(why) = refused.get(&event.position.0) {
                let tries = standing::fail(&transaction, event.position.0, why)?;
                intake.fail_again(&mut again, (key, tries), Instant::now());
            } else {
                standing::unpark(&transaction, event.position.0)?;
                again.take(key);
            }
        }
        let (parked, keys) = (standing::parked_count(&transaction)?, standing::keys(&transaction)?);
        intake.settle(&again, (parked, &keys), Instant::now());
        standing::write(&transaction, intake.position, intake.asks)?;
        transaction.commit()?;
        self.intake = intake;
        Ok(())
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
        let looks = book.intake.looks(of, Instant::now());
        let read = standing::parked(&book.connection, &looks, limit);
        read.map_err(|error| place.error("read", error))
    }

    async fn replay(&mut self, replay: Replay) -> Result<Standing, TargetError> {
        let to = self.book()?.intake.position;
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
