//! A build in a schema of PostgreSQL.

use super::{
    apply::Applier,
    link::{Link, unusable},
    schema::{Place, Rival},
    standing,
};
use crate::{
    intake::Intake,
    plan::Plan,
    registry::Built,
    target::{Batch, Parked, ParkedOf, Replay, Standing, Target, TargetError},
};
use async_trait::async_trait;
use std::{collections::BTreeSet, sync::Arc, time::Instant};

/// Most events of one transaction, so that little is done again one by one if one of them fails.
const TRANSACTION_MAX: usize = 2_000;

/// A build in a schema of PostgreSQL.
pub(crate) struct PostgresTarget {
    place: Place,
    rival: Rival,
    built: Built,
    plan: Plan,
    ledger: String,
    skipped: Arc<BTreeSet<u64>>,
    open: Option<(Link, Applier)>,
}

impl PostgresTarget {
    /// A build at a place, for the ledger with an id.
    pub(crate) fn new(
        (place, rival): (Place, Rival),
        built: Built,
        plan: Plan,
        (ledger, skipped): (String, Arc<BTreeSet<u64>>),
    ) -> Self {
        Self { place, rival, built, plan, ledger, skipped, open: None }
    }

    async fn opened(&mut self) -> Result<&mut (Link, Applier), TargetError> {
        if self.open.is_none() {
            self.open = Some(self.connect().await?);
        }
        Ok(self.open.as_mut().expect("it was just opened"))
    }

    async fn connect(&self) -> Result<(Link, Applier), TargetError> {
        let link = self.place.open(&self.built, (&self.ledger, self.rival)).await?;
        let read = async {
            let stored = standing::read(&link.client).await?;
            let held = standing::held(&link.client).await?;
            Ok((stored, held, standing::parked_count(&link.client).await?))
        };
        let (stored, held, parked) = read.await.map_err(|error| unusable("read", error))?;
        if stored.ledger != self.ledger {
            let message = format!("schema `{}` follows another ledger", self.place.schema);
            return Err(TargetError::Foreign(message));
        }
        let (far, skipped) = ((stored.position, stored.asks), self.skipped.clone());
        let applier = Applier {
            plan: self.plan.clone(),
            statements: Applier::prepare(&link.client, &self.plan).await?,
            intake: Intake::restore(far, (held, parked), skipped, Instant::now()),
        };
        Ok((link, applier))
    }

    fn standing(&self) -> Standing {
        let open = self.open.as_ref();
        open.map_or_else(Standing::default, |(_, applier)| applier.intake.standing(Instant::now()))
    }
}

#[async_trait]
impl Target for PostgresTarget {
    async fn open(&mut self) -> Result<Standing, TargetError> {
        // After a failure nothing is known of the connection.
        self.open = None;
        self.opened().await?;
        Ok(self.standing())
    }

    async fn apply(&mut self, batch: Batch) -> Result<Standing, TargetError> {
        let (link, applier) = self.opened().await?;
        let mut parts = batch.events.chunks(TRANSACTION_MAX).peekable();
        while let Some(part) = parts.next() {
            let last = part.last().map_or(batch.to, |event| event.position);
            let to = if parts.peek().is_some() { last } else { batch.to };
            applier.apply(&link.client, part, to).await?;
        }
        if batch.events.is_empty() {
            applier.apply(&link.client, &[], batch.to).await?;
        }
        Ok(self.standing())
    }

    async fn parked(&mut self, of: ParkedOf, limit: usize) -> Result<Vec<Parked>, TargetError> {
        let (link, applier) = self.opened().await?;
        let looks = applier.intake.looks(of, Instant::now());
        let read = standing::parked(&link.client, &looks, limit).await;
        read.map_err(|error| unusable("read", error))
    }

    async fn replay(&mut self, replay: Replay) -> Result<Standing, TargetError> {
        let (link, applier) = self.opened().await?;
        applier.replay(&link.client, &replay).await?;
        Ok(self.standing())
    }

    async fn remove(&mut self) -> Result<(), TargetError> {
        self.open = None;
        self.place.remove().await
    }
}
