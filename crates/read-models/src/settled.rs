//! Whether what was asked of a read model is done, by whoever drives it, and where it is kept then.

use crate::{
    drive::{is_shared, why_withheld},
    error::ReadModelError,
    read_models::{LOOK, LOOK_MAX, ReadModels},
    registry::{Built, ModelState},
    target::TargetError,
};
use fairway_model::ReadModelName;

impl ReadModels {
    /// Waits until all that was asked of a read model is done: it is built, mended, or removed. A build
    /// that is withheld is done when it has done what was asked of it.
    pub async fn settled(&self, name: &ReadModelName) -> Result<(), ReadModelError> {
        let mut look = LOOK;
        loop {
            let model = self.facts.of(name).await?;
            let done = match &model.live {
                Some(live) => self.has_done_asks(name, &model, live).await?,
                None => model.wanted.is_none(),
            };
            let is_built = match model.withheld() {
                Some(built) => self.is_withheld(name, &model, built).await?,
                None => model.candidate().is_none(),
            };
            if done && is_built && model.retired.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(look).await;
            look = (look * 2).min(LOOK_MAX);
        }
    }

    /// Whether a build has done all that was asked, and a person has to accept it still.
    async fn is_withheld(
        &self,
        name: &ReadModelName,
        model: &ModelState,
        built: &Built,
    ) -> Result<bool, ReadModelError> {
        let (Some(live), None) = (&model.live, model.accepted.filter(|build| *build == built.id))
        else {
            return Ok(false);
        };
        let live = self.standing(name, live).await?.unwrap_or_default();
        let standing = self.standing(name, built).await?.unwrap_or_default();
        let has_done = self.has_done_asks(name, model, built).await?;
        Ok(has_done && why_withheld(standing, live).is_some())
    }

    /// Whether a build has done all that was asked. A new one has nothing to do.
    async fn has_done_asks(
        &self,
        name: &ReadModelName,
        model: &ModelState,
        built: &Built,
    ) -> Result<bool, ReadModelError> {
        let asked = model.asks.last_key_value().map_or(0, |(version, _)| *version);
        match self.standing(name, built).await? {
            Some(standing) => Ok(standing.asks >= asked),
            None if self.is_elsewhere(name, built) && asked <= built.id => Ok(true),
            None if self.is_elsewhere(name, built) => Err(self.no_tables(name, built)),
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
