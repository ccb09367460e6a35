//! Does what was asked of a read model: whoever drives does it, and if nobody does, this process,
//! until it is done.

use super::{
    CommonArgs,
    host::{failed, places},
};
use crate::{app::App, failure::Failure, interrupts::Interrupts, ledgers, printer::Printer};
use fairway_model::ReadModelName;
use fairway_read_models::{Following, ReadModelError, ReadModels};
use std::time::Duration;

/// How often a person is told how far it is.
const TOLD: Duration = Duration::from_millis(200);

/// Read models of which something is asked.
pub(super) struct Work {
    pub(super) models: ReadModels,
    following: Option<Following>,
}

impl Work {
    /// Opens the read models; drives them unless another process does.
    pub(super) async fn open(common: &CommonArgs, app: &App) -> Result<Self, Failure> {
        let ledger = ledgers::open(app, common.ledger.ledger.as_deref()).await?;
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
    ) -> Result<(), Failure> {
        let line = printer.live_line();
        let mut interrupts = Interrupts::open()?;
        loop {
            tokio::select! {
                done = self.models.settled(name) => {
                    return done.map_err(|error| failed("see how far it is", error));
                }
                () = interrupts.next() => {
                    drop(line);
                    printer.talk("the rest is done when somebody drives again\n");
                    return Ok(());
                }
                () = tokio::time::sleep(TOLD) => {
                    let Ok(status) = self.models.status(name).await else { continue };
                    let building = status.candidate.or(status.live);
                    let shown = building.map_or(0, |building| building.standing.position.0);
                    if let Some(line) = &line {
                        line.show(format!("{name}: {shown} of {}", status.head));
                    }
                }
            }
        }
    }

    /// Ends what this process drives.
    pub(super) async fn close(self) {
        if let Some(following) = self.following {
            following.stop().await;
        }
    }
}
