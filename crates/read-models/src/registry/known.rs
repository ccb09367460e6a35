//! What a ledger says of single read models, folded once and gone on with.

use super::{ModelState, Registry, stream_of};
use fairway_ledger::{Ledger, LedgerError};
use fairway_model::ReadModelName;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Most facts of one page.
const PAGE: usize = 1_000;

/// The facts of a ledger about its read models, so that a question does not fold them all again.
#[derive(Debug)]
pub(crate) struct Facts {
    ledger: Ledger,
    /// Of read models that there are or were.
    known: Mutex<HashMap<ReadModelName, Arc<ModelState>>>,
}

impl Facts {
    /// The facts of a ledger.
    pub(crate) fn of_ledger(ledger: Ledger) -> Self {
        Self { ledger, known: Mutex::default() }
    }

    /// What the ledger says of a read model now.
    pub(crate) async fn of(&self, name: &ReadModelName) -> Result<Arc<ModelState>, LedgerError> {
        let known = self.known().get(name).cloned().unwrap_or_default();
        let mut registry: Option<Registry> = None;
        let mut after = known.version;
        loop {
            let page = self.ledger.read_stream(&stream_of(name), after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.version;
            let registry = registry.get_or_insert_with(|| Registry::with(name, &known));
            for event in &page {
                registry.apply(event);
            }
        }
        let Some(model) = registry.and_then(|registry| registry.get(name).cloned()) else {
            return Ok(known);
        };
        let model = Arc::new(model);
        let mut all = self.known();
        if all.get(name).is_none_or(|other| other.version < model.version) {
            all.insert(name.clone(), model.clone());
        }
        Ok(model)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<ReadModelName, Arc<ModelState>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
