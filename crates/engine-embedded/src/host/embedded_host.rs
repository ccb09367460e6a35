//! The engine as a [`Host`].

use super::drive::{Command, drive};
use super::replica::Key;
use crate::{
    embedded::Embedded, group, launch::blocking, network::failed, place::check_name, remains,
};
use fairway_engine::{
    ContainerId, EngineError, Exec, ExecOutput, GroupId, Host, Keep, LogEvent, LogFrom,
    Observation, ReplicaSet, Sandbox, ServiceAddress, SetId, Share, Volume,
};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use std::collections::BTreeMap;
use tokio::sync::{Mutex, mpsc, oneshot};

/// Keeps sets of replicas running on the embedded engine, for as long as this value lives; what
/// runs then goes on, and is adopted by the next one that opens the group. One process at a time
/// may have a group open.
pub struct EmbeddedHost {
    engine: Embedded,
    groups: Mutex<BTreeMap<GroupId, mpsc::Sender<Command>>>,
}

impl EmbeddedHost {
    /// A host on this engine.
    pub fn new(engine: Embedded) -> Self {
        Self { engine, groups: Mutex::default() }
    }

    async fn ask<T>(
        &self,
        group: &GroupId,
        command: impl FnOnce(oneshot::Sender<Result<T, EngineError>>) -> Command + Send,
    ) -> Result<T, EngineError> {
        let gone = || EngineError::NoGroup(group.clone());
        let commands = self.groups.lock().await.get(group).cloned().ok_or_else(gone)?;
        let (answer, answered) = oneshot::channel();
        commands.send(command(answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

#[async_trait::async_trait]
impl Host for EmbeddedHost {
    async fn open(&self, group: &GroupId) -> Result<(), EngineError> {
        let mut groups = self.groups.lock().await;
        if groups.contains_key(group) {
            return Ok(());
        }
        Sandbox::open(&self.engine, group, Keep::UntilClosed).await?;
        let network = self.engine.networks().create(group, Keep::UntilClosed).await;
        let commands = drive(&self.engine, network.map_err(failed)?, group).await?;
        groups.insert(group.clone(), commands);
        Ok(())
    }

    async fn ensure(&self, set: &ReplicaSet) -> Result<(), EngineError> {
        let longest = Key { set: set.id.name.clone(), number: u16::MAX, attempt: u32::MAX };
        check_name(&longest.to_string())?;
        let wanted = Box::new(set.clone());
        self.ask(&set.id.group, |answer| Command::Ensure(wanted, answer)).await
    }

    async fn remove(&self, set: &SetId) -> Result<(), EngineError> {
        self.ask(&set.group, |answer| Command::Remove(set.name.clone(), answer)).await
    }

    async fn route(
        &self,
        group: &GroupId,
        address: &ServiceAddress,
        shares: &[Share],
    ) -> Result<(), EngineError> {
        let shares = shares.iter().map(|share| (share.set.name.clone(), share.weight)).collect();
        self.ask(group, |answer| Command::Route(address.name.clone(), shares, answer)).await
    }

    async fn sets(&self, group: &GroupId) -> Result<Vec<SetId>, EngineError> {
        self.ask(group, Command::Sets).await
    }

    async fn observe(
        &self,
        group: &GroupId,
    ) -> Result<BoxStream<'static, Observation>, EngineError> {
        let (now, from_here_on) = self.ask(group, Command::Observe).await?;
        let next = |mut changes: mpsc::Receiver<Observation>| async {
            changes.recv().await.map(|change| (change, changes))
        };
        Ok(stream::iter(now).chain(stream::unfold(from_here_on, next)).boxed())
    }

    async fn exec(&self, replica: &ContainerId, exec: &Exec) -> Result<ExecOutput, EngineError> {
        Sandbox::exec(&self.engine, replica, exec).await
    }

    async fn logs(
        &self,
        replica: &ContainerId,
        from: LogFrom,
    ) -> Result<BoxStream<'static, Result<LogEvent, EngineError>>, EngineError> {
        Sandbox::logs(&self.engine, replica, from).await
    }

    async fn close(&self, group: &GroupId) -> Result<(), EngineError> {
        if !group::is_open(self.engine.places(), group) {
            return Ok(());
        }
        self.open(group).await?;
        let stopped = self.ask(group, Command::Close).await;
        self.groups.lock().await.remove(group);
        Sandbox::close(&self.engine, group).await.and(stopped)
    }

    async fn remove_volumes(&self, scope: &str) -> Result<Vec<Volume>, EngineError> {
        check_name(scope)?;
        let (places, scope) = (self.engine.places().clone(), scope.to_owned());
        blocking(move || {
            let names = group::names_in(&places.volumes(&scope))?;
            let volume = |name| Volume { scope: scope.clone(), name };
            let volumes: Vec<Volume> = names.into_iter().map(volume).collect();
            for volume in &volumes {
                remains::remove_directory(&places.volume(volume))?;
            }
            remains::remove_if_empty(&places.volumes(&scope))?;
            Ok(volumes)
        })
        .await
    }
}
