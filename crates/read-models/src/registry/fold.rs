//! All read models of a ledger.

use super::{Fact, ModelState, facts_filter, model_of};
use fairway_ledger::{Event, Ledger, LedgerError, Position, Version};
use fairway_model::ReadModelName;
use std::collections::BTreeMap;

/// Most facts of one page.
const PAGE: usize = 1_000;

/// All read models of a ledger, as its facts say they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    models: BTreeMap<ReadModelName, ModelState>,
}

impl Registry {
    /// Reads what a ledger says now.
    pub async fn load(ledger: &Ledger) -> Result<Self, LedgerError> {
        let mut registry = Self::default();
        let mut facts = ledger.subscribe_to(facts_filter(), Position(0))?;
        while let Some(event) = facts.try_next().await? {
            registry.apply(&event);
        }
        Ok(registry)
    }

    /// Reads what a ledger says of one read model.
    pub async fn load_one(
        ledger: &Ledger,
        name: &ReadModelName,
    ) -> Result<ModelState, LedgerError> {
        let (mut registry, mut after) = (Self::default(), Version(0));
        loop {
            let page = ledger.read_stream(&super::stream_of(name), after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.version;
            for event in &page {
                registry.apply(event);
            }
        }
        Ok(registry.models.remove(name).unwrap_or_default())
    }

    /// Folds in the next event. One that is not understood, as a newer Fairway or somebody else wrote
    /// it, only counts.
    pub fn apply(&mut self, event: &Event) {
        let Some(name) = model_of(&event.stream) else { return };
        let state = self.models.entry(name).or_default();
        state.version = event.version;
        if let Ok(fact) = Fact::of(event) {
            state.apply(event.version, fact);
        }
    }

    /// Every read model that there is or was.
    pub fn models(&self) -> impl Iterator<Item = (&ReadModelName, &ModelState)> {
        self.models.iter()
    }

    /// What is known of a read model.
    pub fn get(&self, name: &ReadModelName) -> Option<&ModelState> {
        self.models.get(name)
    }
}
