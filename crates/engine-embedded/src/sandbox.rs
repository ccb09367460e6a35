//! The engine as a [`Sandbox`].

use crate::{
    contact::{self, Found},
    embedded::Embedded,
    exec, group,
    launch::blocking,
    logs, network, start,
    state::State,
    take, watch,
};
use fairway_engine::{
    ContainerEvent, ContainerId, ContainerSpec, ContainerStatus, EngineError, Exec, ExecOutput,
    Exit, GroupId, Keep, LogEvent, LogFrom, Sandbox,
};
use fairway_model::TreeDigest;
use futures_util::{future::try_join_all, stream::BoxStream};

#[async_trait::async_trait]
impl Sandbox for Embedded {
    async fn open(&self, group: &GroupId, keep: Keep) -> Result<(), EngineError> {
        if self.owned().contains_key(group) {
            return Ok(());
        }
        let (places, id) = (self.places().clone(), group.clone());
        let ownership = blocking(move || group::open(&places, &id, keep)).await?;
        if let Some(ownership) = ownership {
            self.owned().insert(group.clone(), ownership);
        }
        self.networks().create(group, keep).await.map(drop).map_err(network::failed)
    }

    async fn start(&self, id: &ContainerId, spec: &ContainerSpec) -> Result<(), EngineError> {
        start::start(self, id, spec).await
    }

    async fn exec(&self, id: &ContainerId, exec: &Exec) -> Result<ExecOutput, EngineError> {
        exec::exec(self, id, exec).await
    }

    async fn logs(
        &self,
        id: &ContainerId,
        from: LogFrom,
    ) -> Result<BoxStream<'static, Result<LogEvent, EngineError>>, EngineError> {
        logs::read(self, id, from).await
    }

    async fn watch(
        &self,
        id: &ContainerId,
    ) -> Result<BoxStream<'static, ContainerEvent>, EngineError> {
        watch::watch(self, id).await
    }

    async fn list(&self, group: &GroupId) -> Result<Vec<ContainerStatus>, EngineError> {
        let names = group::names_in(&self.places().containers(group))?;
        let mut statuses = Vec::new();
        for name in names {
            let id = ContainerId { group: group.clone(), name };
            match contact::find(self, &id).await {
                Ok(Found::Watched(_, state) | Found::Lost(state)) => {
                    let State { address, exit, .. } = state;
                    statuses.push(ContainerStatus { id, address, exit });
                }
                // It is being started or removed.
                Err(EngineError::NoContainer(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(statuses)
    }

    async fn stop(&self, id: &ContainerId) -> Result<Exit, EngineError> {
        contact::stop(self, id).await
    }

    async fn take_tree(
        &self,
        id: &ContainerId,
        path: &str,
    ) -> Result<Option<TreeDigest>, EngineError> {
        take::take_tree(self, id, path).await
    }

    async fn remove(&self, id: &ContainerId) -> Result<(), EngineError> {
        contact::remove(self, id).await
    }

    async fn close(&self, group: &GroupId) -> Result<(), EngineError> {
        self.remove_group(group).await?;
        self.owned().remove(group);
        Ok(())
    }
}

impl Embedded {
    /// Removes the containers and the network of a group, and then the group.
    pub(crate) async fn remove_group(&self, group: &GroupId) -> Result<(), EngineError> {
        let names = group::names_in(&self.places().containers(group))?;
        let ids: Vec<_> =
            names.into_iter().map(|name| ContainerId { group: group.clone(), name }).collect();
        try_join_all(ids.iter().map(|id| contact::remove(self, id))).await?;
        network::remove(self, group).await?;
        let (places, id) = (self.places().clone(), group.clone());
        blocking(move || group::remove(&places, &id)).await
    }
}
