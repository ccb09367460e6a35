//! Does what was asked of a read model: whoever drives does it, and if nobody does, this process,
//! until it is done.

use super::{
    CommonArgs,
    host::{failed, places},
};
use crate::{
    app::App,
    failure::{Exit, Failure},
    interrupts::Interrupts,
    ledgers,
    printer::Printer,
    words::one_line,
};
use fairway_model::ReadModelName;
use fairway_read_models::{Building, Following, ReadModelError, ReadModels, State, Status};
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

/// What came of what was asked.
pub(super) struct Outcome {
    /// How many events are parked.
    pub(super) parked: u64,
    /// Why the new build is not read.
    pub(super) withheld: Option<Failure>,
}

/// Read models of which something is asked.
pub(super) struct Work {
    pub(super) models: ReadModels,
    following: Option<Following>,
}

impl Work {
    /// Does something with read models, and ends then what this process drives, also if it failed:
    /// another machine may drive at once.
    pub(super) async fn with(
        common: &CommonArgs,
        app: &App,
        does: impl AsyncFnOnce(&Self) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        let work = Self::open(common, app).await?;
        let done = does(&work).await;
        if let Some(following) = work.following {
            following.stop().await;
        }
        done
    }

    /// Opens the read models; drives them unless another process does.
    async fn open(common: &CommonArgs, app: &App) -> Result<Self, Failure> {
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

    /// What came of what was asked, for people: how many events are parked in what is new, and why
    /// that is not read.
    pub(super) async fn outcome(&self, name: &ReadModelName) -> Result<Outcome, Failure> {
        let status = self.models.status(name).await;
        let status = status.map_err(|error| failed("see how far it is", error))?;
        let withheld = status.candidate.as_ref().and_then(|new| withheld(name, new));
        let shown = if withheld.is_some() { status.candidate } else { status.live };
        Ok(Outcome { parked: shown.map_or(0, |building| building.standing.parked), withheld })
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

/// Why a build is not read, and what to do about it.
fn withheld(name: &ReadModelName, new: &Building) -> Option<Failure> {
    let Some(State::Withheld(why)) = &new.state else { return None };
    let message = format!("version {} of read model `{name}` is not read: {why}", new.version);
    let failure = Failure::failed(message);
    let failure = failure.hint(format!("`fairway read-models parked {name}` shows what and why"));
    let failure = failure.hint("mend the file, raise its `version` and apply it again");
    Some(failure.hint(format!("`fairway read-models accept {name}` has it read as it is")))
}

/// Why what is built does not go on.
fn failing(status: &Status) -> Option<String> {
    let building = status.candidate.as_ref().or(status.live.as_ref())?;
    match building.state.as_ref()? {
        State::Failing(why) => Some(why.clone()),
        State::CatchingUp | State::Following | State::Withheld(_) => None,
    }
}
