//! Does what was asked of a read model: whoever drives does it, and if nobody does, this process,
//! until it is done.

use super::{
    CommonArgs,
    host::{failed, places},
};
use crate::{
    app::App, failure::Failure, interrupts::Interrupts, ledgers, printer::Printer, words::one_line,
};
use fairway_model::ReadModelName;
use fairway_read_models::{Following, ReadModelError, ReadModels, State, Status};
use std::time::Duration;

/// How often a person is told how far it is.
const TOLD: Duration = Duration::from_millis(200);

/// How waiting for what was asked ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finished {
    /// It is done.
    Done,
    /// Somebody had enough of waiting.
    Interrupted,
}

/// Read models of which something is asked.
pub(super) struct Work {
    pub(super) models: ReadModels,
    following: Option<Following>,
}

impl Work {
    /// Opens the read models; drives them unless another process does.
    pub(super) async fn open(common: &CommonArgs, app: &App) -> Result<Self, Failure> {
        let ledger = ledgers::open(app, &common.ledger).await?;
        let places = places(app, &ledger, common.secrets_of.as_ref())?;
        match ReadModels::start(ledger.clone(), places.clone()) {
            Ok((models, following)) => Ok(Self { models, following: Some(following) }),
            Err(ReadModelError::DrivenElsewhere(_)) => {
                Ok(Self { models: ReadModels::open(ledger, places), following: None })
            }
            Err(error) => Err(failed("open the read models", error)),
        }
    }

    /// Waits until what was asked of a read model is done, or somebody has enough of it. What is
    /// not done then is done by who drives next.
    pub(super) async fn finish(
        &self,
        name: &ReadModelName,
        printer: &mut Printer,
    ) -> Result<Finished, Failure> {
        let line = printer.live_line();
        let mut interrupts = Interrupts::open()?;
        let settled = self.models.settled(name);
        tokio::pin!(settled);
        let mut told = None;
        loop {
            tokio::select! {
                done = &mut settled => {
                    done.map_err(|error| failed("see how far it is", error))?;
                    return Ok(Finished::Done);
                }
                () = interrupts.next() => {
                    drop(line);
                    printer.talk("the rest is done when somebody drives again\n");
                    return Ok(Finished::Interrupted);
                }
                () = tokio::time::sleep(TOLD) => {
                    let Ok(status) = self.models.status(name).await else { continue };
                    let failing = failing(&status);
                    if let Some(line) = &line {
                        line.show(progress(&status));
                    } else if let (Some(why), true) = (&failing, failing != told) {
                        printer.talk(&format!("read model `{name}` is tried again: {why}\n"));
                        told = failing;
                    }
                }
            }
        }
    }

    /// How many events of a read model are parked.
    pub(super) async fn parked(&self, name: &ReadModelName) -> Result<u64, Failure> {
        let status = self.models.status(name).await;
        let status = status.map_err(|error| failed("see how far it is", error))?;
        Ok(status.live.or(status.candidate).map_or(0, |building| building.standing.parked))
    }

    /// Ends what this process drives.
    pub(super) async fn close(self) {
        if let Some(following) = self.following {
            following.stop().await;
        }
    }
}

/// How far what is built is, and why it does not go on if it does not.
fn progress(status: &Status) -> String {
    let building = status.candidate.as_ref().or(status.live.as_ref());
    let position = building.map_or(0, |building| building.standing.position.0);
    let shown = format!("{}: {position} of {}", status.name, status.head);
    match failing(status) {
        Some(why) => format!("{shown}; tried again: {}", one_line(&why)),
        None => shown,
    }
}

/// Why what is built does not go on.
fn failing(status: &Status) -> Option<String> {
    let building = status.candidate.as_ref().or(status.live.as_ref())?;
    match building.state.as_ref()? {
        State::Failing(why) => Some(why.clone()),
        State::CatchingUp | State::Following => None,
    }
}
