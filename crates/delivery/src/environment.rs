//! What the ledger says of one environment.

use crate::{Placement, Verdict};
use fairway_model::{EnvironmentName, ServiceName, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A fact or intent about one environment; the events of the stream `environment-NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EnvironmentEvent {
    /// Its gateway has a port, which it keeps.
    GatewayOpened {
        /// On the loopback interface.
        port: u16,
    },
    /// Somebody wants this to run.
    PromotionRequested {
        /// What.
        placement: Placement,
        /// The port that the environment's gateway is to have, if configured.
        port: Option<u16>,
    },
    /// A rollout ended.
    RolloutEnded {
        /// How.
        verdict: Verdict,
    },
    /// Somebody wants nothing to run.
    DownRequested {
        /// What happens to the data of its neighbours.
        volumes: Volumes,
    },
    /// Nothing runs.
    Down,
}

impl EnvironmentEvent {
    /// The name of the event's kind in the ledger.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::GatewayOpened { .. } => "gateway-opened",
            Self::PromotionRequested { .. } => "promotion-requested",
            Self::RolloutEnded { .. } => "rollout-ended",
            Self::DownRequested { .. } => "down-requested",
            Self::Down => "down",
        }
    }
}

/// What happens to the data of neighbours when an environment goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volumes {
    /// It is there again when the environment comes up.
    Kept,
    /// It is removed for good.
    Removed,
}

/// How an environment stands, as a fold of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// How many events of its stream are folded in.
    pub version: u64,
    /// The port of its gateway: the configured one, else the one it had.
    pub port: Option<u16>,
    /// Its services, by name.
    pub services: BTreeMap<ServiceName, ServiceState>,
    /// Whether somebody wants it down, and it is not yet.
    pub going_down: Option<Volumes>,
}

/// How one service of an environment stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServiceState {
    /// What was live, oldest first; the last one is live now unless the environment is down.
    /// At most [`ServiceState::HISTORY_MAX`] are kept.
    pub history: Vec<LiveSince>,
    /// Whether the last of `history` is live.
    pub is_live: bool,
    /// What was asked for and is not live yet.
    pub wanted: Option<Placement>,
    /// Why the last rollout did not make it, if it did not.
    pub failure: Option<String>,
}

/// A placement and since when it is live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveSince {
    /// What.
    pub placement: Placement,
    /// Since when.
    pub at: Timestamp,
}

impl ServiceState {
    /// How many placements are remembered for rollback.
    pub const HISTORY_MAX: usize = 20;

    /// What runs now.
    pub fn live(&self) -> Option<&LiveSince> {
        self.history.last().filter(|_| self.is_live)
    }

    /// What ran before what runs now: the newest one of another release.
    pub fn previous(&self) -> Option<&Placement> {
        let live = self.live()?;
        let others = self.history.iter().rev().map(|entry| &entry.placement);
        others.into_iter().find(|placement| placement.release != live.placement.release)
    }

    fn ended(&mut self, verdict: &Verdict, at: Timestamp) {
        match verdict {
            Verdict::Live(placement) => self.went_live(placement, at),
            Verdict::Failed { candidate, because } => {
                self.drop_wanted(candidate);
                self.failure = Some(because.clone());
            }
            Verdict::Superseded(placement) => self.drop_wanted(placement),
        }
    }

    fn went_live(&mut self, placement: &Placement, at: Timestamp) {
        self.drop_wanted(placement);
        self.failure = None;
        let was_live = std::mem::replace(&mut self.is_live, true);
        match self.history.last_mut() {
            Some(last) if last.placement == *placement && was_live => return,
            Some(last) if last.placement == *placement => last.at = at,
            _ => self.history.push(LiveSince { placement: placement.clone(), at }),
        }
        let excess = self.history.len().saturating_sub(Self::HISTORY_MAX);
        self.history.drain(..excess);
    }

    fn drop_wanted(&mut self, placement: &Placement) {
        if self.wanted.as_ref().is_some_and(|wanted| wanted.set == placement.set) {
            self.wanted = None;
        }
    }
}

impl Environment {
    /// An environment of which nothing is known.
    pub fn new(name: EnvironmentName) -> Self {
        Self { name, version: 0, port: None, services: BTreeMap::new(), going_down: None }
    }

    /// Whether anything runs, or is asked to, or has yet to end.
    pub fn is_up(&self) -> bool {
        self.services.values().any(|service| service.is_live || service.wanted.is_some())
            || self.going_down.is_some()
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: &EnvironmentEvent, at: Timestamp) {
        self.version += 1;
        match event {
            EnvironmentEvent::GatewayOpened { port } => self.port = Some(*port),
            EnvironmentEvent::PromotionRequested { placement, port } => {
                self.port = port.or(self.port);
                let service = self.service(placement);
                service.wanted = Some(placement.clone());
                service.failure = None;
            }
            EnvironmentEvent::RolloutEnded { verdict } => {
                let (Verdict::Live(placement)
                | Verdict::Failed { candidate: placement, .. }
                | Verdict::Superseded(placement)) = verdict;
                self.service(placement).ended(verdict, at);
            }
            EnvironmentEvent::DownRequested { volumes } => {
                self.going_down = Some(*volumes);
                self.services.values_mut().for_each(|service| service.wanted = None);
            }
            EnvironmentEvent::Down => {
                self.going_down = None;
                self.services.values_mut().for_each(|service| service.is_live = false);
            }
        }
    }

    fn service(&mut self, placement: &Placement) -> &mut ServiceState {
        self.services.entry(placement.release.service.clone()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(number: u64) -> Placement {
        Placement {
            release: format!("orders@{number}").parse().unwrap(),
            set: format!("orders-{number}"),
            replicas: 1,
        }
    }

    fn fold(events: impl IntoIterator<Item = EnvironmentEvent>) -> ServiceState {
        let mut environment = Environment::new("staging".parse().unwrap());
        for (at, event) in events.into_iter().enumerate() {
            environment.apply(&event, Timestamp(at as u64));
        }
        environment.services.into_values().next().unwrap_or_default()
    }

    fn live(number: u64) -> EnvironmentEvent {
        EnvironmentEvent::RolloutEnded { verdict: Verdict::Live(placed(number)) }
    }

    #[test]
    fn rollback_goes_to_the_newest_other_release() {
        let service = fold([live(1), live(2), live(2), live(3)]);
        assert_eq!(service.previous(), Some(&placed(2)));
        assert_eq!(fold([live(1)]).previous(), None);
    }

    #[test]
    fn a_failed_promotion_is_no_longer_wanted_and_says_why() {
        let verdict = Verdict::Failed { candidate: placed(2), because: "exited".to_owned() };
        let requested = EnvironmentEvent::PromotionRequested { placement: placed(2), port: None };
        let service = fold([live(1), requested, EnvironmentEvent::RolloutEnded { verdict }]);
        assert_eq!(service.live().map(|live| &live.placement), Some(&placed(1)));
        assert_eq!((service.wanted, service.failure), (None, Some("exited".to_owned())));
    }

    #[test]
    fn an_environment_that_went_down_remembers_what_was_live() {
        let service = fold([live(1), EnvironmentEvent::Down]);
        assert_eq!(service.live(), None);
        assert_eq!(service.history.len(), 1);
        let again = fold([live(1), live(1), EnvironmentEvent::Down, live(1)]);
        assert_eq!(again.live().map(|live| live.at), Some(Timestamp(3)));
        assert_eq!(again.history.len(), 1);
    }
}
