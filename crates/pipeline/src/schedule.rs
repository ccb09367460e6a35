//! Decides which stage starts when. Knows no clock and starts nothing itself.

use crate::{Plan, RunOutcome};
use fairway_model::StageName;
use std::collections::{BTreeMap, BTreeSet};

/// How often a stage is run again when what watched its container was killed.
const RETRIES_OF_LOST: u32 = 1;

/// What happens to stages that have not started when one fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// None is started any more.
    #[default]
    StartNothingNew,
    /// Only those that need the failed one are skipped.
    GoOn,
}

/// Where a run's stages stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    stages: Vec<Slot>,
    limit: usize,
    on_failure: OnFailure,
    phase: Phase,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    name: StageName,
    needs: BTreeSet<StageName>,
    state: SlotState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SlotState {
    Waiting,
    Running { lost: u32 },
    Green,
    Red,
    Skipped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Going,
    Failing,
    Cancelling,
    Ended,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// The run begins or goes on.
    Begun,
    /// A stage is green.
    Green(StageName),
    /// A stage failed.
    Failed(StageName),
    /// What watched a stage's container was killed.
    Lost(StageName),
    /// Somebody cancels the run.
    Cancelled,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Run a stage. `lost` says how often it was lost before.
    Start {
        /// The stage.
        stage: StageName,
        /// How often it was lost before.
        lost: u32,
    },
    /// A stage that was lost too often has failed.
    GiveUp(StageName),
    /// A stage is not started.
    Skip {
        /// The stage.
        stage: StageName,
        /// The failed stage it needs; without one, the run is stopping.
        because: Option<StageName>,
    },
    /// Stop all that runs; each of these then ends as failed.
    StopAll,
    /// The run is over.
    End(RunOutcome),
}

impl Schedule {
    /// Nothing has started. At most `limit` stages, and at least one, run at once.
    pub fn new(plan: &Plan, limit: usize, on_failure: OnFailure) -> Self {
        let slot = |stage: &crate::PlannedStage| Slot {
            name: stage.name.clone(),
            needs: stage.needs.clone(),
            state: SlotState::Waiting,
        };
        let stages = plan.stages.iter().map(slot).collect();
        Self { stages, limit: limit.max(1), on_failure, phase: Phase::Going }
    }

    /// Takes in what happened and decides what is to be done.
    pub fn step(mut self, happened: &Happened) -> (Self, Vec<Action>) {
        let mut actions = Vec::new();
        if self.phase == Phase::Ended {
            return (self, actions);
        }
        match happened {
            Happened::Begun => {}
            Happened::Green(stage) => self.set(stage, SlotState::Green),
            Happened::Failed(stage) => self.fail(stage),
            Happened::Lost(stage) => self.lose(stage, &mut actions),
            Happened::Cancelled => self.cancel(&mut actions),
        }
        self.skip(&mut actions);
        self.start(&mut actions);
        self.end(&mut actions);
        (self, actions)
    }

    fn set(&mut self, name: &StageName, state: SlotState) {
        let running = |slot: &&mut Slot| {
            &slot.name == name && matches!(slot.state, SlotState::Running { .. })
        };
        if let Some(slot) = self.stages.iter_mut().find(running) {
            slot.state = state;
        }
    }

    fn fail(&mut self, stage: &StageName) {
        self.set(stage, SlotState::Red);
        let is_red = |slot: &Slot| &slot.name == stage && slot.state == SlotState::Red;
        if !self.stages.iter().any(is_red) {
            return;
        }
        if self.phase == Phase::Going {
            self.phase = Phase::Failing;
        }
    }

    fn lose(&mut self, stage: &StageName, actions: &mut Vec<Action>) {
        let slot = self.stages.iter_mut().find(|slot| &slot.name == stage);
        let Some(Slot { state: SlotState::Running { lost }, .. }) = slot else { return };
        if *lost >= RETRIES_OF_LOST || self.phase == Phase::Cancelling {
            actions.push(Action::GiveUp(stage.clone()));
            return self.fail(stage);
        }
        *lost += 1;
        actions.push(Action::Start { stage: stage.clone(), lost: *lost });
    }

    fn cancel(&mut self, actions: &mut Vec<Action>) {
        if self.phase != Phase::Cancelling {
            self.phase = Phase::Cancelling;
            actions.push(Action::StopAll);
        }
    }

    /// Skips what cannot run any more. Needs come first in the list, so one pass reaches all.
    fn skip(&mut self, actions: &mut Vec<Action>) {
        let stops = match self.phase {
            Phase::Going => false,
            Phase::Failing => self.on_failure == OnFailure::StartNothingNew,
            Phase::Cancelling | Phase::Ended => true,
        };
        let mut dead: BTreeSet<StageName> = self
            .stages
            .iter()
            .filter(|slot| matches!(slot.state, SlotState::Red | SlotState::Skipped))
            .map(|slot| slot.name.clone())
            .collect();
        for slot in &mut self.stages {
            if slot.state != SlotState::Waiting {
                continue;
            }
            let because = slot.needs.iter().find(|need| dead.contains(*need)).cloned();
            if because.is_some() || stops {
                slot.state = SlotState::Skipped;
                dead.insert(slot.name.clone());
                actions.push(Action::Skip { stage: slot.name.clone(), because });
            }
        }
    }

    fn start(&mut self, actions: &mut Vec<Action>) {
        let state = |slot: &Slot| (slot.name.clone(), slot.state);
        let states: BTreeMap<StageName, SlotState> = self.stages.iter().map(state).collect();
        let mut running = self.running();
        for slot in &mut self.stages {
            let is_ready = slot.state == SlotState::Waiting
                && slot.needs.iter().all(|need| states.get(need) == Some(&SlotState::Green));
            if is_ready && running < self.limit {
                running += 1;
                slot.state = SlotState::Running { lost: 0 };
                actions.push(Action::Start { stage: slot.name.clone(), lost: 0 });
            }
        }
    }

    fn running(&self) -> usize {
        let is_running = |slot: &&Slot| matches!(slot.state, SlotState::Running { .. });
        self.stages.iter().filter(is_running).count()
    }

    fn end(&mut self, actions: &mut Vec<Action>) {
        let open =
            |slot: &Slot| matches!(slot.state, SlotState::Waiting | SlotState::Running { .. });
        if self.stages.iter().any(open) {
            return;
        }
        let outcome = match self.phase {
            Phase::Cancelling => RunOutcome::Cancelled,
            _ if self.stages.iter().all(|slot| slot.state == SlotState::Green) => {
                RunOutcome::Passed
            }
            _ => RunOutcome::Failed,
        };
        self.phase = Phase::Ended;
        actions.push(Action::End(outcome));
    }
}

#[cfg(test)]
mod tests;
