//! A stage with steps: its group of containers, from opening to closing.

use super::{container::group_id, end::Stopped, prepare::Prepared, stage_run::StageRun};
use crate::{StagePhase, StepsWork, Task};
use fairway_engine::{GroupId, Keep};
use std::sync::Arc;

impl StageRun {
    /// Runs the steps, unless they passed before under the same conditions.
    pub(crate) async fn steps(&mut self, work: &StepsWork) -> Result<(), Stopped> {
        let prepared = self.prepare(work).await?;
        self.result.neighbours = prepared.facts();
        let key = match &work.task {
            Task::Steps(_) => Some(prepared.key),
            Task::Command(_) => None,
        };
        self.result.key = key;
        if self.is_known(&prepared, work).await? {
            return Ok(());
        }
        self.take_turn(key).await?;
        if self.is_known(&prepared, work).await? {
            return Ok(());
        }
        self.record_start(key).await?;
        let group = group_id(self.ctx.run, &self.stage.name);
        let sandbox = Arc::clone(&self.ctx.tools.sandbox);
        // What a killed driver left under this name is no part of this attempt.
        sandbox.close(&group).await?;
        sandbox.open(&group, Keep::WhileOwned).await?;
        let ran = self.in_group(&group, work, &prepared).await;
        let closed = sandbox.close(&group).await;
        ran.and(closed.map_err(Stopped::from))
    }

    async fn is_known(&mut self, prepared: &Prepared, work: &StepsWork) -> Result<bool, Stopped> {
        match &work.task {
            Task::Steps(_) => self.take_cached(prepared.key).await,
            Task::Command(_) => Ok(false),
        }
    }

    async fn in_group(
        &mut self,
        group: &GroupId,
        work: &StepsWork,
        prepared: &Prepared,
    ) -> Result<(), Stopped> {
        let mut neighbours = self.start_neighbours(group, prepared).await?;
        self.enter(StagePhase::Running).await;
        let (id, session) = self.start_container(group, work, prepared).await?;
        let exit = self.follow(&id, session, work, &mut neighbours).await?;
        self.enter(StagePhase::Collecting).await;
        self.collect(&id, work, &exit).await
    }
}
