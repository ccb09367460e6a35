//! All read models of a ledger.

use super::{Fact, ModelState, facts_filter, model_of};
use fairway_ledger::{Event, Ledger, LedgerError, Position};
use fairway_model::ReadModelName;
use std::collections::BTreeMap;

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

    /// What was folded of one read model before.
    pub(super) fn with(name: &ReadModelName, model: &ModelState) -> Self {
        Self { models: BTreeMap::from([(name.clone(), model.clone())]) }
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
