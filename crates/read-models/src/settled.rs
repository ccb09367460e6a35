//! Whether what was asked of a read model is done, by whoever drives it, and where it is kept then.

use crate::{
    drive::is_shared,
    error::ReadModelError,
    read_models::{LOOK, LOOK_MAX, ReadModels},
    registry::{Built, ModelState},
    target::TargetError,
};
use fairway_model::ReadModelName;

impl ReadModels {
    /// Waits until all that was asked of a read model is done: it is built, mended, or removed.
    pub async fn settled(&self, name: &ReadModelName) -> Result<(), ReadModelError> {
        let mut look = LOOK;
        loop {
            let model = self.facts.of(name).await?;
            let done = match &model.live {
                Some(live) => self.has_done_asks(name, &model, live).await?,
                None => model.wanted.is_none(),
            };
            if done && model.candidate().is_none() && model.retired.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(look).await;
            look = (look * 2).min(LOOK_MAX);
        }
    }

    /// Whether the build that is read has done all that was asked. A new one has nothing to do.
    async fn has_done_asks(
        &self,
        name: &ReadModelName,
        model: &ModelState,
        live: &Built,
    ) -> Result<bool, ReadModelError> {
        let asked = model.asks.last_key_value().map_or(0, |(version, _)| *version);
        match self.standing(name, live).await? {
            Some(standing) => Ok(standing.asks >= asked),
            None if self.is_elsewhere(name, live) && asked <= live.id => Ok(true),
            None if self.is_elsewhere(name, live) => Err(self.no_tables(name, live)),
            None => Ok(false),
        }
    }

    /// Whether a build that is not here may be on another machine.
    pub(crate) fn is_elsewhere(&self, name: &ReadModelName, built: &Built) -> bool {
        let is_driven_here = self.progress(name, built).is_some();
        is_shared(&self.ledger) && built.declaration.is_in_file() && !is_driven_here
    }

    /// What is told of a build that is not here.
    pub(crate) fn no_tables(&self, name: &ReadModelName, built: &Built) -> ReadModelError {
        let why = if self.is_elsewhere(name, built) {
            format!("what is kept of read model `{name}` is on the machine that follows the ledger")
        } else {
            format!("the tables of read model `{name}` are gone; rebuild it")
        };
        TargetError::Foreign(why).into()
    }
}
