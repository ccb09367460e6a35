//! Taking a stage's result from before.

use super::{end::Stopped, stage_run::StageRun};
use crate::{PassedStage, PassedStages, StageOutcome, StagePhase};
use fairway_blobs::Tree;
use fairway_model::Digest;
use std::sync::Arc;
use tokio::{
    sync::{OwnedMutexGuard, OwnedSemaphorePermit},
    time::Instant,
};

/// What a stage holds while it does something.
pub(crate) struct Turn {
    _room: OwnedSemaphorePermit,
    _flight: Option<OwnedMutexGuard<()>>,
}

impl StageRun {
    /// Takes the result of a stage that passed with this key; says whether there was one.
    pub(crate) async fn take_cached(&mut self, key: Digest) -> Result<bool, Stopped> {
        let found = self.ctx.tools.ledger.row::<PassedStages>(key.hex()).await;
        let Some(passed) = found.map_err(crate::RecordError::from)? else { return Ok(false) };
        if !self.is_there(&passed).await {
            return Ok(false);
        }
        self.log.forget();
        if let Some(done) = self.ctx.done.get(&self.stage.name).filter(|d| d.key == Some(key)) {
            self.result = done.clone();
            self.is_recorded = true;
            return Ok(true);
        }
        self.result.outcome = StageOutcome::Cached { run: passed.run };
        self.result.outputs = passed.outputs;
        self.result.neighbours = passed.neighbours;
        Ok(true)
    }

    /// Whether all that the stage handed on is still on this machine.
    async fn is_there(&self, passed: &PassedStage) -> bool {
        if let Some(image) = &passed.outputs.image
            && !self.ctx.tools.images.contains(image).await
        {
            return false;
        }
        let blobs = &self.ctx.tools.blobs;
        passed.outputs.artifacts.is_none_or(|artifacts| {
            Tree::load(blobs, &artifacts).is_ok_and(|tree| tree.is_complete(blobs))
        })
    }

    /// Waits until nobody runs a stage with this key and there is room.
    pub(crate) async fn take_turn(&mut self, key: Option<Digest>) -> Result<(), Stopped> {
        self.enter(StagePhase::Queued).await;
        let tools = &self.ctx.tools;
        let enter = async {
            let flight = match key {
                Some(key) => Some(tools.flights.enter(key).await),
                None => None,
            };
            let room = Arc::clone(&tools.room).acquire_owned().await;
            Turn { _room: room.expect("the room for stages is never closed"), _flight: flight }
        };
        let turn = tokio::select! {
            turn = enter => turn,
            () = self.ctx.cancel.cancelled() => return Err(Stopped::Cancelled),
        };
        self.turn = Some(turn);
        self.began = Instant::now();
        Ok(())
    }
}
