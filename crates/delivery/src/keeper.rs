//! The keeper: drives every environment of a data directory that is up.

use crate::{
    EnvironmentEvent, Environments, Verdict,
    driver::{Driver, DriverError, Surroundings, explain},
    releases::DeliveryError,
};
use fairway_ledger::{Event, Ledger, LedgerError, Subscription};
use fairway_model::EnvironmentName;
use std::{collections::BTreeMap, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, timeout},
};

/// How many events may wait for a driver.
const EVENTS_MAX: usize = 256;
/// How long the keeper stays when nothing is up.
const LINGER: Duration = Duration::from_secs(2);
/// How long taking up an environment may hold up the others: one that goes down takes long.
const BEGIN_MAX: Duration = Duration::from_secs(5);
/// The pause before an environment that could not be driven is taken up again.
const PAUSE: Duration = Duration::from_secs(1);

/// Why the keeper cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The environments cannot be read.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

/// What the keeper tells whoever started it.
#[derive(Debug)]
pub enum Notice {
    /// An environment could not be driven and is taken up again.
    Faltered(EnvironmentName, DriverError),
}

/// Drives environments. One per data directory, held by a lock of whoever hosts it.
pub struct Keeper {
    events: Subscription,
    surroundings: Surroundings,
    drivers: BTreeMap<EnvironmentName, mpsc::Sender<Event>>,
    ended: JoinSet<(EnvironmentName, Result<(), DriverError>)>,
}

impl Keeper {
    /// Takes up all environments that are up; returns when each serves again, or cannot.
    pub async fn begin(ledger: Ledger, surroundings: Surroundings) -> Result<Self, KeeperError> {
        let events = ledger.subscribe(ledger.head().await?)?;
        let mut keeper =
            Self { events, surroundings, drivers: BTreeMap::new(), ended: JoinSet::new() };
        let mut beginnings = Vec::new();
        for environment in keeper.surroundings.environments.list().await? {
            if environment.is_up() {
                beginnings.push(keeper.start(&environment.name).await?);
            }
        }
        for begun in beginnings {
            // It ends without a word, either way.
            drop(timeout(BEGIN_MAX, begun).await);
        }
        Ok(keeper)
    }

    /// Drives all environments until none is up for a while.
    pub async fn run(mut self, mut tell: impl FnMut(Notice)) -> Result<(), KeeperError> {
        let mut idle_since = Instant::now();
        loop {
            if !self.drivers.is_empty() {
                idle_since = Instant::now();
            }
            tokio::select! {
                event = self.events.next() => self.pass_on(event?).await?,
                Some(ended) = self.ended.join_next(), if !self.ended.is_empty() => {
                    let Ok((name, result)) = ended else {
                        // Which one it was nobody knows; the next event starts it again.
                        self.drivers.retain(|_, driver| !driver.is_closed());
                        continue;
                    };
                    self.drivers.remove(&name);
                    if let Err(error) = result {
                        match self.give_up_wanted(&name, &error).await {
                            // It goes on as it was until there is space.
                            Err(KeeperError::Delivery(refused)) if refused.is_full_disk() => {}
                            given_up => given_up?,
                        }
                        tell(Notice::Faltered(name.clone(), error));
                        tokio::time::sleep(PAUSE).await;
                    }
                    self.restart_if_up(&name).await?;
                }
                () = tokio::time::sleep_until(idle_since + LINGER), if self.drivers.is_empty() => {
                    return Ok(());
                }
            }
        }
    }

    async fn pass_on(&mut self, event: Event) -> Result<(), KeeperError> {
        let Some((name, _)) = Environments::read(&event) else {
            return Ok(());
        };
        match self.drivers.get(&name) {
            Some(driver) => {
                // One that has ended is replaced when its end is taken up, and the next one reads
                // this event in the ledger: two at once would end each other.
                driver.send(event).await.unwrap_or_default();
                Ok(())
            }
            None => self.restart_if_up(&name).await,
        }
    }

    /// Nobody waits for what an environment that cannot be driven was asked to run.
    async fn give_up_wanted(
        &self,
        name: &EnvironmentName,
        error: &DriverError,
    ) -> Result<(), KeeperError> {
        let environments = &self.surroundings.environments;
        let services = environments.get(name).await?.services;
        for candidate in services.into_values().filter_map(|service| service.wanted) {
            let verdict = Verdict::Failed { candidate, because: explain(error) };
            environments.record(name, &EnvironmentEvent::RolloutEnded { verdict }).await?;
        }
        Ok(())
    }

    async fn restart_if_up(&mut self, name: &EnvironmentName) -> Result<(), KeeperError> {
        if self.surroundings.environments.get(name).await?.is_up() {
            drop(self.start(name).await?);
        }
        Ok(())
    }

    async fn start(
        &mut self,
        name: &EnvironmentName,
    ) -> Result<oneshot::Receiver<()>, KeeperError> {
        let state = self.surroundings.environments.get(name).await?;
        let (sender, receiver) = mpsc::channel(EVENTS_MAX);
        self.drivers.insert(name.clone(), sender);
        let (surroundings, name) = (self.surroundings.clone(), name.clone());
        let (signal, begun) = oneshot::channel();
        self.ended
            .spawn(async move { (name, Driver::run(surroundings, state, receiver, signal).await) });
        Ok(begun)
    }
}
