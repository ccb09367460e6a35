//! What a driver asks of the engine.

use super::{Driver, DriverError, explain};
use crate::{
    Drained, EnvironmentEvent, Heard, MissingSecrets, Placement, Verdict, Volumes, volume_scope,
};
use fairway_engine::{EngineError, ReplicaSet, ServiceAddress, Share};
use std::{collections::BTreeSet, time::Duration};
use tokio::{sync::oneshot, time::timeout};

/// How long requests at the gateway may keep replicas that are to go; a WebSocket has no end.
const DRAIN_MAX: Duration = Duration::from_secs(30);

impl Driver {
    /// Makes a placement's manifest and its neighbours be there; returns the neighbours' sets.
    pub(super) async fn bring(
        &mut self,
        placement: &Placement,
    ) -> Result<BTreeSet<String>, String> {
        let existing = self.surroundings.host.sets(&self.group).await;
        let existing = existing.map_err(|error| explain(&error))?;
        let secrets = if existing.contains(&self.set(&placement.set)) {
            MissingSecrets::Blank
        } else {
            MissingSecrets::Refused
        };
        let library = &self.surroundings.library;
        let manifest = library.manifest(placement, &self.state.name, secrets).await;
        let manifest = manifest.map_err(|error| explain(&error))?;
        for (name, spec) in &manifest.neighbours {
            let id = self.set(name);
            if !existing.contains(&id) {
                let set = ReplicaSet { id: id.clone(), spec: spec.clone(), replicas: 1 };
                self.surroundings.host.ensure(&set).await.map_err(|error| explain(&error))?;
            }
            let shares = [Share { set: id, weight: 1 }];
            let address = ServiceAddress { name: name.clone() };
            let routed = self.surroundings.host.route(&self.group, &address, &shares).await;
            routed.map_err(|error| explain(&error))?;
        }
        let neighbours = manifest.neighbours.keys().cloned().collect();
        self.manifests.insert(placement.set.clone(), manifest);
        Ok(neighbours)
    }

    /// Makes a placement have so many replicas.
    pub(super) async fn ensure(
        &self,
        placement: &Placement,
        replicas: u16,
    ) -> Result<(), EngineError> {
        let Some(manifest) = self.manifests.get(&placement.set) else {
            return Err(EngineError::Broken(format!("`{}` has no manifest", placement.set)));
        };
        let set =
            ReplicaSet { id: self.set(&placement.set), spec: manifest.spec.clone(), replicas };
        self.surroundings.host.ensure(&set).await
    }

    /// Directs a service's address inside the environment to placements by weight.
    pub(super) async fn share(
        &self,
        service: &str,
        shares: &[(Placement, u16)],
    ) -> Result<(), EngineError> {
        let address = ServiceAddress { name: service.to_owned() };
        let shares: Vec<Share> = shares
            .iter()
            .map(|(placement, weight)| Share { set: self.set(&placement.set), weight: *weight })
            .collect();
        self.surroundings.host.route(&self.group, &address, &shares).await
    }

    /// Removes a set once the gateway's requests at it are answered.
    pub(super) fn remove(&mut self, set: &str, drained: Option<Drained>) {
        self.manifests.remove(set);
        let (stay, stays) = oneshot::channel();
        self.leaving.insert(set.to_owned(), stay);
        let (host, set) = (self.surroundings.host.clone(), self.set(set));
        self.removals.spawn(async move {
            if let Some(drained) = drained {
                tokio::select! {
                    // What is still there after so long is cut.
                    _ = timeout(DRAIN_MAX, drained) => {}
                    Ok(()) = stays => return (set.name, Ok(())),
                }
            }
            let removed = host.remove(&set).await;
            (set.name, removed)
        });
    }

    /// A set is gone, or stays because it is wanted again: who waits for that goes on.
    pub(super) async fn left(&mut self, set: &str) -> Result<(), DriverError> {
        self.leaving.remove(set);
        let now = self.returning.extract_if(.., |placement| placement.set == set);
        let now: Vec<Placement> = now.collect();
        let (wanted, superseded): (Vec<_>, Vec<_>) =
            now.into_iter().partition(|placement| self.is_wanted(placement));
        for placement in superseded {
            if wanted.is_empty() {
                self.remove(set, None);
            }
            let verdict = Verdict::Superseded(placement);
            self.record(EnvironmentEvent::RolloutEnded { verdict }).await?;
        }
        for placement in wanted {
            self.roll_out(placement).await?;
        }
        Ok(())
    }

    fn is_wanted(&self, placement: &Placement) -> bool {
        let service = self.state.services.get(&placement.release.service);
        service.is_some_and(|service| service.wanted.as_ref() == Some(placement))
    }

    /// Removes sets of services that are neither live nor wanted. Neighbours stay: they hold data.
    pub(super) async fn remove_unwanted(&mut self) -> Result<(), DriverError> {
        for set in self.surroundings.host.sets(&self.group).await? {
            let is_neighbour = set.name.contains('.');
            if !is_neighbour && !self.manifests.contains_key(&set.name) {
                self.remove(&set.name, None);
            }
        }
        Ok(())
    }

    /// Whether the engine has a set of this name.
    pub(super) async fn exists(&self, set: &str) -> Result<bool, EngineError> {
        Ok(self.surroundings.host.sets(&self.group).await?.contains(&self.set(set)))
    }

    /// Removes everything of the environment.
    pub(super) async fn go_down(&mut self, volumes: Volumes) -> Result<(), DriverError> {
        self.director.step(Heard::Down);
        self.surroundings.edge.close(&self.state.name).await;
        for set in self.surroundings.host.sets(&self.group).await? {
            self.remove(&set.name, None);
        }
        while self.removals.join_next().await.is_some() {}
        self.surroundings.host.close(&self.group).await?;
        if volumes == Volumes::Removed {
            self.surroundings.host.remove_volumes(&volume_scope(&self.state.name)).await?;
        }
        self.record(EnvironmentEvent::Down).await?;
        self.state.apply(&EnvironmentEvent::Down, fairway_model::Timestamp(0));
        Ok(())
    }
}
