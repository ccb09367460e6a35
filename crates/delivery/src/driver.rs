//! Makes one environment what its events say: performs what the [`Director`] decides.

mod moves;

use crate::{
    Action, Directions, Director, Drained, Edge, Environment, EnvironmentEvent, Environments,
    Heard, Library, Manifest, Placement, ServiceState, Task, Verdict, group_of, last_words,
    releases::DeliveryError,
};
use fairway_engine::{EngineError, GroupId, Host, Observation, ReplicaState, SetId};
use fairway_ledger::Event;
use fairway_model::EnvironmentName;
use futures_util::{FutureExt, StreamExt};
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

/// What drivers share.
#[derive(Clone)]
pub struct Surroundings {
    /// Where intents and facts are.
    pub environments: Environments,
    /// What placements are.
    pub library: Library,
    /// What runs containers.
    pub host: Arc<dyn Host>,
    /// Where users come in.
    pub edge: Arc<dyn Edge>,
}

/// Why an environment cannot be driven on.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The engine does not do what it is asked.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// The gateway cannot be opened.
    #[error("could not open the gateway of `{0}`")]
    Gateway(EnvironmentName, #[source] io::Error),
    /// The engine stopped telling how replicas stand.
    #[error("the engine stopped observing `{0}`")]
    Blind(EnvironmentName),
}

/// Drives one environment.
pub(crate) struct Driver {
    surroundings: Surroundings,
    group: GroupId,
    state: Environment,
    director: Director,
    /// Where its gateway listens.
    port: Option<u16>,
    /// Manifests by set, of what runs or is to run.
    manifests: BTreeMap<String, Manifest>,
    /// Removals under way, with the names of their sets.
    removals: JoinSet<(String, Result<(), EngineError>)>,
    /// The sets that are being removed; sending makes one stay that still drains.
    leaving: BTreeMap<String, oneshot::Sender<()>>,
    /// Promotions that wait for what is left of a set of the same name.
    returning: Vec<Placement>,
    /// The last output of sets whose replicas failed.
    last_words: BTreeMap<String, String>,
    /// What happened while the disk was full; at most one fact per promotion that was asked for.
    unrecorded: VecDeque<EnvironmentEvent>,
}

/// The pause before what found the disk full is recorded again.
const SPACE_PAUSE: Duration = Duration::from_secs(1);

impl Driver {
    /// Drives the environment until nothing of it runs any more. `begun` ends when it has taken up
    /// what there was.
    pub(crate) async fn run(
        surroundings: Surroundings,
        state: Environment,
        mut events: mpsc::Receiver<Event>,
        begun: oneshot::Sender<()>,
    ) -> Result<(), DriverError> {
        let group = group_of(&state.name);
        surroundings.host.open(&group).await?;
        let mut observations = surroundings.host.observe(&group).await?;
        let mut driver = Self {
            surroundings,
            group,
            state,
            director: Director::default(),
            port: None,
            manifests: BTreeMap::new(),
            removals: JoinSet::new(),
            leaving: BTreeMap::new(),
            returning: Vec::new(),
            last_words: BTreeMap::new(),
            unrecorded: VecDeque::new(),
        };
        // How replicas stand now, so that the gateway opens with those that are ready.
        while let Some(Some(seen)) = observations.next().now_or_never() {
            driver.director.step(Heard::Seen(seen));
        }
        driver.begin().await?;
        drop(begun);
        while driver.state.is_up() {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => driver.hear(&event).await?,
                    None => return Ok(()),
                },
                seen = observations.next() => match seen {
                    Some(seen) => driver.see(seen).await?,
                    None => return Err(DriverError::Blind(driver.state.name)),
                },
                Some(Ok((set, removed))) = driver.removals.join_next() => {
                    driver.left(&set).await?;
                    removed?;
                }
                () = tokio::time::sleep(SPACE_PAUSE), if !driver.unrecorded.is_empty() => {
                    driver.record_all().await?;
                }
            }
        }
        while !driver.unrecorded.is_empty() {
            tokio::time::sleep(SPACE_PAUSE).await;
            driver.record_all().await?;
        }
        Ok(())
    }

    /// Takes up what the ledger says: what is live goes on, what is wanted is rolled out, and what
    /// nobody wants is removed.
    async fn begin(&mut self) -> Result<(), DriverError> {
        if let Some(volumes) = self.state.going_down {
            return self.go_down(volumes).await;
        }
        let mut is_known = true;
        let services = self.state.services.clone();
        for live in services.values().filter_map(ServiceState::live) {
            is_known &= self.adopt(live.placement.clone()).await?;
        }
        self.open_gateway().await?;
        for wanted in services.into_values().filter_map(|service| service.wanted) {
            self.promote(wanted).await?;
        }
        // What cannot be read may use any of the sets.
        if is_known { self.remove_unwanted().await } else { Ok(()) }
    }

    async fn open_gateway(&mut self) -> Result<(), DriverError> {
        let (name, edge) = (&self.state.name, &self.surroundings.edge);
        let wanted = self.state.port;
        let opened = match edge.open(name, &self.group, wanted, self.directions()).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                edge.open(name, &self.group, self.port, self.directions()).await
            }
            opened => opened,
        };
        let port = opened.map_err(|error| DriverError::Gateway(name.clone(), error))?;
        self.port = Some(port);
        if wanted == Some(port) {
            return Ok(());
        }
        self.state.port = Some(port);
        self.record(EnvironmentEvent::GatewayOpened { port }).await
    }

    async fn hear(&mut self, event: &Event) -> Result<(), DriverError> {
        if event.version.0 <= self.state.version {
            return Ok(());
        }
        let Some((_, said)) = Environments::read(event) else {
            return Ok(());
        };
        self.state.apply(&said, event.recorded);
        match said {
            EnvironmentEvent::PromotionRequested { placement, .. } => {
                if self.state.port != self.port {
                    self.open_gateway().await?;
                }
                self.promote(placement).await
            }
            EnvironmentEvent::DownRequested { volumes } => self.go_down(volumes).await,
            EnvironmentEvent::GatewayOpened { .. }
            | EnvironmentEvent::RolloutEnded { .. }
            | EnvironmentEvent::Down => Ok(()),
        }
    }

    /// Takes up what is live; says whether it knows what that is.
    async fn adopt(&mut self, placement: Placement) -> Result<bool, DriverError> {
        match self.bring(&placement).await {
            Ok(_) => self.perform(Heard::Adopted(placement)).await.map(|()| true),
            Err(because) => {
                let verdict = Verdict::Failed { candidate: placement, because };
                self.record(EnvironmentEvent::RolloutEnded { verdict }).await.map(|()| false)
            }
        }
    }

    /// Rolls a placement out. If its set is being removed, that ends first, at once while it only
    /// drains; also if the keeper before this one began to remove it.
    async fn promote(&mut self, placement: Placement) -> Result<(), DriverError> {
        if let Some(stay) = self.leaving.remove(&placement.set) {
            // One that does not listen any more is about to be gone.
            stay.send(()).unwrap_or_default();
        } else if self.exists(&placement.set).await? {
            return self.roll_out(placement).await;
        } else {
            self.remove(&placement.set, None);
        }
        self.returning.push(placement);
        Ok(())
    }

    async fn roll_out(&mut self, placement: Placement) -> Result<(), DriverError> {
        match self.bring(&placement).await {
            Ok(neighbours) => self.perform(Heard::Promote(placement, neighbours)).await,
            Err(because) => {
                let verdict = Verdict::Failed { candidate: placement, because };
                self.record(EnvironmentEvent::RolloutEnded { verdict }).await
            }
        }
    }

    async fn see(&mut self, seen: Observation) -> Result<(), DriverError> {
        if matches!(seen.state, ReplicaState::Ended(..) | ReplicaState::Unready(_)) {
            let words = last_words::of(&*self.surroundings.host, &seen.replica).await;
            // Without the secrets nobody can tell what in them is one: then nothing is kept.
            if let Ok(masker) = self.surroundings.library.masker(&self.state.name) {
                self.last_words.insert(seen.set.name.clone(), masker.mask_text(&words));
            }
        }
        self.perform(Heard::Seen(seen)).await?;
        drop(self.direct());
        Ok(())
    }

    /// Lets the director decide and does what it says; what the engine refuses is heard again.
    async fn perform(&mut self, heard: Heard) -> Result<(), DriverError> {
        let mut tasks = VecDeque::from(self.director.step(heard));
        let mut drained: Option<Drained> = None;
        while let Some(Task { service, action }) = tasks.pop_front() {
            match action {
                Action::Ensure(placement, replicas) => {
                    if let Err(error) = self.ensure(&placement, replicas).await {
                        let refused = Heard::Refused(placement, explain(&error));
                        tasks.extend(self.director.step(refused));
                    }
                }
                Action::Share(shares) => {
                    self.share(service.as_str(), &shares).await?;
                    drained = Some(self.direct());
                }
                Action::Remove(placement) => self.remove(&placement.set, drained.take()),
                Action::Record(verdict) => {
                    let verdict = self.with_last_words(verdict);
                    self.record(EnvironmentEvent::RolloutEnded { verdict }).await?;
                }
            }
        }
        Ok(())
    }

    /// Tells the gateway where everything is now.
    fn direct(&self) -> Drained {
        self.surroundings.edge.direct(&self.state.name, self.directions())
    }

    fn directions(&self) -> Directions {
        let routes = self.director.serving().filter_map(|(service, placement)| {
            let manifest = self.manifests.get(&placement.set)?;
            Some(manifest.routes.iter().map(|route| (route.clone(), service.clone())))
        });
        Directions { routes: routes.flatten().collect(), backends: self.director.backends() }
    }

    fn with_last_words(&self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Failed { candidate, because } => {
                let words = self.last_words.get(&candidate.set).map_or("", String::as_str);
                Verdict::Failed { because: format!("{because}{words}"), candidate }
            }
            verdict => verdict,
        }
    }

    async fn record(&mut self, fact: EnvironmentEvent) -> Result<(), DriverError> {
        self.unrecorded.push_back(fact);
        self.record_all().await
    }

    /// Records what has happened, in order; what finds the disk full waits for space.
    async fn record_all(&mut self) -> Result<(), DriverError> {
        while let Some(fact) = self.unrecorded.front() {
            match self.surroundings.environments.record(&self.state.name, fact).await {
                Err(error) if error.is_full_disk() => return Ok(()),
                recorded => drop(recorded?),
            }
            self.unrecorded.pop_front();
        }
        Ok(())
    }

    fn set(&self, name: &str) -> SetId {
        SetId { group: self.group.clone(), name: name.to_owned() }
    }
}

/// An error with its causes, on one line.
pub(crate) fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
