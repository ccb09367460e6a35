//! What a run says about itself while it goes on.

use crate::{RunOutcome, StageResult};
use fairway_engine::LogStream;
use fairway_model::{Revision, RunId, ServiceName, StageName};
use serde::Serialize;
use std::time::Duration;
use tokio::sync::mpsc;

/// Something that happened in a run. The channel is bounded and nothing is dropped: who shows
/// progress has to keep reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The run.
    pub run: RunId,
    /// Whose pipeline it is.
    pub service: ServiceName,
    /// What happened.
    #[serde(flatten)]
    pub event: ProgressEvent,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ProgressEvent {
    /// The run begins.
    RunStarted {
        /// The sources.
        revision: Revision,
        /// Its stages, each after those it needs.
        stages: Vec<StageName>,
        /// Whether it is new.
        beginning: Beginning,
    },
    /// A stage entered a phase.
    StageEntered {
        /// The stage.
        stage: StageName,
        /// The phase.
        phase: StagePhase,
    },
    /// A stage wrote a line, or something that it waits for said one.
    Line {
        /// The stage.
        stage: StageName,
        /// Where it came from; without one, it is about the stage.
        stream: Option<LogStream>,
        /// The line, with secrets masked.
        text: String,
    },
    /// A stage ended.
    StageFinished {
        /// The stage.
        stage: StageName,
        /// How.
        result: Box<StageResult>,
    },
    /// The run ended.
    RunFinished {
        /// How.
        outcome: RunOutcome,
        /// How long it took, since it began or was continued.
        #[serde(rename = "duration_ms", with = "crate::millis")]
        duration: Duration,
    },
}

/// Whether a run is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Beginning {
    /// It is.
    New,
    /// Its last driver was killed.
    Continued,
}

/// What a stage is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum StagePhase {
    /// Its images are looked up or made.
    Preparing,
    /// It waits until there is room for one more stage.
    Queued,
    /// Its neighbours start.
    Neighbours {
        /// Their fleet-wide names.
        waiting_for: Vec<String>,
    },
    /// Its container starts or its image is built.
    Running,
    /// A step runs.
    Step {
        /// Which, from 0.
        step: usize,
        /// Its text.
        text: String,
    },
    /// What it hands on is taken out.
    Collecting,
    /// What watched its container was killed; it runs again.
    Lost,
}

/// Tells about one run.
#[derive(Debug, Clone)]
pub(crate) struct Reporter {
    run: RunId,
    service: ServiceName,
    sender: mpsc::Sender<Progress>,
}

impl Reporter {
    pub(crate) fn new(run: RunId, service: ServiceName, sender: mpsc::Sender<Progress>) -> Self {
        Self { run, service, sender }
    }

    /// Tells something; if nobody listens any more, that is no failure of the run.
    pub(crate) async fn tell(&self, event: ProgressEvent) {
        let progress = Progress { run: self.run, service: self.service.clone(), event };
        drop(self.sender.send(progress).await);
    }

    pub(crate) async fn enter(&self, stage: &StageName, phase: StagePhase) {
        self.tell(ProgressEvent::StageEntered { stage: stage.clone(), phase }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn progress_is_one_flat_object() {
        let (run, service) = (RunId(7), "orders".parse().unwrap());
        let phase = StagePhase::Step { step: 0, text: "npm ci".to_owned() };
        let event = ProgressEvent::StageEntered { stage: "unit".parse().unwrap(), phase };
        let json = serde_json::to_string(&Progress { run, service, event }).unwrap();
        expect![[r#"{"run":7,"service":"orders","event":"stage_entered","stage":"unit","phase":{"name":"step","step":0,"text":"npm ci"}}"#]].assert_eq(&json);
    }
}
