//! Waits for how a promotion ends.

use super::standing::standing;
use crate::{
    app::App,
    failure::{Doing, Failure},
    keeper::Contact,
    printer::LiveLine,
    space,
};
use fairway_delivery::{EnvironmentEvent, Environments, Placement, Verdict};
use fairway_ledger::Subscription;
use fairway_model::EnvironmentName;
use std::time::Duration;

/// How often it is shown how replicas stand.
const SHOWN_EVERY: Duration = Duration::from_millis(200);

/// How a promotion ended, as far as the one who asked is concerned.
pub(super) enum Ending {
    /// It is live.
    Live,
    /// It is not, and why.
    Failed(String),
    /// A later one took its place.
    Superseded,
    /// The environment was taken down.
    WentDown,
}

/// Follows the ledger until the promotion ended, and shows how replicas stand meanwhile. The keeper
/// is started again if it ends.
pub(super) async fn await_end(
    app: &App,
    mut events: Subscription,
    environment: &EnvironmentName,
    placement: &Placement,
    line: Option<LiveLine>,
) -> Result<Ending, Failure> {
    let full = space::runs_out(app);
    tokio::pin!(full);
    loop {
        let mut contact = Contact::open(app).await?;
        // One that ended meanwhile is replaced below.
        if contact.wake().await.is_err() {
            continue;
        }
        loop {
            tokio::select! {
                ending = next_ending(&mut events, environment, placement) => return ending,
                () = contact.gone() => break,
                failure = &mut full => return Err(failure),
                () = tokio::time::sleep(SHOWN_EVERY), if line.is_some() => {
                    let Ok(replicas) = contact.replicas(environment).await else { break };
                    if let Some(line) = &line {
                        line.show(standing(placement, environment, &replicas));
                    }
                }
            }
        }
    }
}

async fn next_ending(
    events: &mut Subscription,
    environment: &EnvironmentName,
    placement: &Placement,
) -> Result<Ending, Failure> {
    loop {
        let event = events.next().await.doing("follow the ledger")?;
        let Some((name, said)) = Environments::read(&event) else { continue };
        if name != *environment {
            continue;
        }
        match said {
            EnvironmentEvent::RolloutEnded { verdict } => match verdict {
                Verdict::Live(live) if live.set == placement.set => return Ok(Ending::Live),
                Verdict::Failed { candidate, because } if candidate.set == placement.set => {
                    return Ok(Ending::Failed(because));
                }
                Verdict::Superseded(old) if old.set == placement.set => {
                    return Ok(Ending::Superseded);
                }
                Verdict::Live(_) | Verdict::Failed { .. } | Verdict::Superseded(_) => {}
            },
            EnvironmentEvent::DownRequested { .. } => return Ok(Ending::WentDown),
            EnvironmentEvent::GatewayOpened { .. }
            | EnvironmentEvent::PromotionRequested { .. }
            | EnvironmentEvent::Down => {}
        }
    }
}
