//! A build in a SQLite file, used from async code.

use super::{
    apply::{Applier, Stopped},
    file::Place,
    standing,
};
use crate::{
    intake::Intake,
    plan::Plan,
    registry::Built,
    target::{Batch, Parked, ParkedOf, Replay, Standing, Target, TargetError},
};
use async_trait::async_trait;
use rusqlite::Connection;
use std::{collections::BTreeSet, sync::Arc, time::Instant};

/// A build in a SQLite file.
pub(crate) struct SqliteTarget {
    place: Place,
    built: Built,
    ledger: String,
    plan: Plan,
    skipped: Arc<BTreeSet<u64>>,
    open: Option<Open>,
}

/// The file while it is open.
struct Open {
    connection: Connection,
    applier: Applier,
}

impl SqliteTarget {
    /// A build at a place, for the ledger with an id.
    pub(crate) fn new(
        place: Place,
        built: Built,
        plan: Plan,
        (ledger, skipped): (String, Arc<BTreeSet<u64>>),
    ) -> Self {
        Self { place, built, ledger, plan, skipped, open: None }
    }

    /// Does something with the open file on a thread where it may block.
    async fn with<T: Send + 'static>(
        &mut self,
        what: &'static str,
        work: impl FnOnce(&mut Open) -> Result<T, Stopped> + Send + 'static,
    ) -> Result<T, TargetError> {
        let open = self.open.take();
        let (place, built) = (self.place.clone(), self.built.clone());
        let (ledger, plan, skipped) =
            (self.ledger.clone(), self.plan.clone(), self.skipped.clone());
        let task = tokio::task::spawn_blocking(move || {
            let mut open = match open {
                Some(open) => open,
                None => Open::at(&place, &built, (ledger, plan, skipped))?,
            };
            match work(&mut open) {
                Ok(done) => Ok((open, done)),
                Err(Stopped::Full) => Err(TargetError::Full),
                Err(Stopped::File(error)) => Err(place.error(what, error)),
            }
        });
        let joined = task.await.map_err(|error| TargetError::unusable("a thread ended", error))?;
        let (open, done) = joined?;
        self.open = Some(open);
        Ok(done)
    }
}

impl Open {
    fn at(
        place: &Place,
        built: &Built,
        (ledger, plan, skipped): (String, Plan, Arc<BTreeSet<u64>>),
    ) -> Result<Self, TargetError> {
        let connection = place.open(built, &ledger)?;
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
        Ok(Self { connection, applier: Applier { plan, intake } })
    }

    fn standing(&self) -> Standing {
        self.applier.intake.standing(Instant::now())
    }
}

#[async_trait]
impl Target for SqliteTarget {
    async fn open(&mut self) -> Result<Standing, TargetError> {
        self.with("open", |open| Ok(open.standing())).await
    }

    async fn apply(&mut self, batch: Batch) -> Result<Standing, TargetError> {
        let work = move |open: &mut Open| {
            open.applier.apply(&mut open.connection, &batch)?;
            Ok(open.standing())
        };
        self.with("write", work).await
    }

    async fn parked(&mut self, of: ParkedOf, limit: usize) -> Result<Vec<Parked>, TargetError> {
        let work = move |open: &mut Open| {
            let looks = open.applier.intake.looks(of, Instant::now());
            Ok(standing::parked(&open.connection, &looks, limit)?)
        };
        self.with("read", work).await
    }

    async fn replay(&mut self, replay: Replay) -> Result<Standing, TargetError> {
        let work = move |open: &mut Open| {
            open.applier.replay(&mut open.connection, &replay)?;
            Ok(open.standing())
        };
        self.with("write", work).await
    }

    async fn remove(&mut self) -> Result<(), TargetError> {
        self.open = None;
        self.place.remove()
    }
}
