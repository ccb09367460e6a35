//! Asking a read model: as it is now, or once it knows of a position.

use crate::{
    error::ReadModelError,
    read::{Answer, Consistency, Parameters, QUERY_TIME_MAX, Question},
    read_models::{LOOK, LOOK_MAX, ReadModels},
    registry::{Built, ModelState},
};
use fairway_ledger::Position;
use fairway_model::ReadModelName;
use std::time::Duration;
use tokio::time::{Instant, timeout};

impl ReadModels {
    /// Waits until a read model is at a position or further, read by the declaration that is wanted
    /// now; else says how far it is.
    pub async fn wait(
        &self,
        name: &ReadModelName,
        consistency: Consistency,
    ) -> Result<(), ReadModelError> {
        let (mut look, start) = (LOOK, Instant::now());
        loop {
            let model = self.model(name).await?;
            let is_swapped = model.candidate().is_none();
            match self.reached(name, &model, consistency).await {
                Ok(()) if is_swapped => return Ok(()),
                Ok(()) | Err(ReadModelError::Building { .. } | ReadModelError::Behind { .. }) => {}
                Err(error) => return Err(error),
            }
            if start.elapsed() >= patience(consistency) {
                return self.reached(name, &model, consistency).await;
            }
            tokio::time::sleep(look).await;
            look = (look * 2).min(LOOK_MAX);
        }
    }

    /// Asks a read model.
    pub async fn query(
        &self,
        name: &ReadModelName,
        (question, parameters): (Question, Parameters),
        consistency: Consistency,
    ) -> Result<Answer, ReadModelError> {
        let (mut look, start, mut missing) = (LOOK, Instant::now(), None);
        loop {
            let model = self.model(name).await?;
            let done = self.reached(name, &model, consistency).await;
            if let (Ok(()), Some(live)) = (&done, &model.live) {
                let asked = (question.clone(), parameters.clone());
                if let Some(answer) = self.answer(live, asked).await? {
                    return Ok(answer);
                }
                // Another build took its place meanwhile, or somebody removed the tables.
                if missing.replace(live.id) == Some(live.id) {
                    return Err(self.no_tables(name, live));
                }
            }
            let left = patience(consistency).saturating_sub(start.elapsed());
            match done {
                Err(error) if left.is_zero() || !error.is_of_time() => return Err(error),
                _ => {}
            }
            self.changed(name, &model, look.min(left)).await;
            look = (look * 2).min(LOOK_MAX);
        }
    }

    /// Asks a build, after those who asked before; none if it is not there.
    async fn answer(
        &self,
        live: &Built,
        asked: (Question, Parameters),
    ) -> Result<Option<Answer>, ReadModelError> {
        let turn = timeout(QUERY_TIME_MAX, self.answering.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| ReadModelError::TooSlow(QUERY_TIME_MAX))?;
        let turn = turn.expect("nobody closes it");
        self.reader(live)?.query(asked, turn).await
    }

    /// Whether what is read is as far as a reader wants.
    async fn reached(
        &self,
        name: &ReadModelName,
        model: &ModelState,
        consistency: Consistency,
    ) -> Result<(), ReadModelError> {
        let Some(live) = &model.live else {
            let head = self.ledger.head().await?;
            let candidate = model.candidate();
            let position = match candidate {
                Some(built) => self.standing(name, built).await?.unwrap_or_default().position,
                None => Position(0),
            };
            return Err(ReadModelError::Building { name: name.clone(), position, head });
        };
        let Consistency::AtLeast(wanted, _) = consistency else { return Ok(()) };
        let position = self.standing(name, live).await?.unwrap_or_default().position;
        if position >= wanted {
            return Ok(());
        }
        Err(ReadModelError::Behind { name: name.clone(), position, wanted })
    }

    /// Waits until a build may have gone on: at once if this process drives it.
    async fn changed(&self, name: &ReadModelName, model: &ModelState, look: Duration) {
        let key = model.live.as_ref().map(|live| (name.clone(), live.id));
        let known = key.and_then(|key| self.known.borrow().get(&key).cloned());
        match known {
            Some(mut progress) => {
                let wait = timeout(look, progress.changed());
                // Whatever came of it, the next look shows.
                if wait.await.is_ok_and(|changed| changed.is_err()) {
                    tokio::time::sleep(look).await;
                }
            }
            None => tokio::time::sleep(look).await,
        }
    }
}

/// How long a reader waits.
fn patience(consistency: Consistency) -> Duration {
    match consistency {
        Consistency::Now => Duration::ZERO,
        Consistency::AtLeast(_, wait) => wait,
    }
}
