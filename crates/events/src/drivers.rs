//! The drivers of this process: started when somebody needs them, one per group.

use crate::{
    driver::{self, Handle},
    error::{Ended, GroupError},
    group_id::GroupId,
    groups::Groups,
    request::Request,
};
use futures_util::future::join_all;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{Mutex as Turn, mpsc, oneshot};

/// How often something is asked of a driver that ends meanwhile.
pub(crate) const TRIES_MAX: u32 = 5;

/// The driver of each group that has or had one; one at a time starts or ends it.
pub(crate) type Drivers = HashMap<GroupId, Arc<Turn<Option<Handle>>>>;

impl Groups {
    /// Hands out no more events, and stores progress. Consumers are disconnected.
    pub async fn close(&self) {
        let drivers = self.drivers().take();
        let turns: Vec<_> = drivers.into_iter().flat_map(HashMap::into_values).collect();
        join_all(turns.iter().map(|turn| end(turn, Ended::Closed))).await;
    }

    /// Ends the driver of a group, if it is in this process. Others find out by themselves, but who
    /// connects here next is not to meet the one that ends.
    pub(crate) async fn stop(&self, id: &GroupId, why: Ended) {
        let turn = self.drivers().as_ref().and_then(|drivers| drivers.get(id).cloned());
        if let Some(turn) = turn {
            end(&turn, why).await;
        }
    }

    /// A way to the driver of a group, which is started if there is none.
    pub(crate) async fn requests(&self, id: &GroupId) -> Result<mpsc::Sender<Request>, GroupError> {
        let turn = match &mut *self.drivers() {
            Some(drivers) => drivers.entry(id.clone()).or_default().clone(),
            None => return Err(GroupError::Ended { group: id.clone(), why: Ended::Closed }),
        };
        let mut handle = turn.lock().await;
        if let Some(Handle { requests, .. }) = &*handle
            && !requests.is_closed()
        {
            return Ok(requests.clone());
        }
        if let Some(Handle { task, .. }) = handle.take() {
            // It still stores its progress; whether it panicked makes no difference.
            drop(task.await);
        }
        match driver::start(self.ledger(), id).await {
            Ok(started) => Ok(handle.insert(started).requests.clone()),
            Err(error) => {
                drop(handle);
                self.forget(id, &turn);
                Err(error)
            }
        }
    }

    /// Does not remember a name that was only asked for; but one that somebody waits to start a driver
    /// of, as it would then be started beside all others.
    fn forget(&self, id: &GroupId, turn: &Arc<Turn<Option<Handle>>>) {
        let mut drivers = self.drivers();
        let Some(drivers) = &mut *drivers else { return };
        // One is in the map and one is here; they become more only while the map is locked.
        let is_there = drivers.get(id).is_some_and(|known| Arc::ptr_eq(known, turn));
        if is_there && Arc::strong_count(turn) == 2 {
            drivers.remove(id);
        }
    }

    /// A way to the driver of a group, if there is one.
    pub(crate) async fn driver(&self, id: &GroupId) -> Option<mpsc::Sender<Request>> {
        let turn = self.drivers().as_ref()?.get(id).cloned()?;
        let handle = turn.lock().await;
        let requests = &handle.as_ref()?.requests;
        (!requests.is_closed()).then(|| requests.clone())
    }

    /// Asks the driver of a group, and the next one if it ends meanwhile.
    pub(crate) async fn tried<T>(
        &self,
        id: &GroupId,
        request: impl Fn(oneshot::Sender<T>) -> Request,
    ) -> Result<T, GroupError> {
        for _ in 0..TRIES_MAX {
            let requests = self.requests(id).await?;
            if let Some(answer) = ask(&requests, &request).await {
                return Ok(answer);
            }
        }
        Err(self.ended(id))
    }

    pub(crate) fn ended(&self, id: &GroupId) -> GroupError {
        GroupError::Ended { group: id.clone(), why: Ended::Failed }
    }
}

async fn end(turn: &Turn<Option<Handle>>, why: Ended) {
    if let Some(Handle { requests, task }) = turn.lock().await.take() {
        // One that has ended by itself is not there to hear it.
        drop(requests.send(Request::Close(why)).await);
        drop(task.await);
    }
}

/// Asks a driver; none if it ended before it answered.
pub(crate) async fn ask<T>(
    requests: &mpsc::Sender<Request>,
    request: impl FnOnce(oneshot::Sender<T>) -> Request,
) -> Option<T> {
    let (reply, answer) = oneshot::channel();
    requests.send(request(reply)).await.ok()?;
    answer.await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_ledger::Ledger;

    #[tokio::test]
    async fn a_turn_that_somebody_waits_for_is_not_forgotten() {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let groups = Groups::open(Ledger::open(&dir.path().join("events.db")).unwrap());
        let id = GroupId::parse("$all", "mails").unwrap();
        let turn = || groups.drivers().as_mut().unwrap().entry(id.clone()).or_default().clone();
        let (failed, waiting) = (turn(), turn());
        groups.forget(&id, &failed);
        assert!(Arc::ptr_eq(&turn(), &waiting), "who comes next meets the one that waits");
        drop(waiting);
        groups.forget(&id, &failed);
        assert!(groups.drivers().as_ref().unwrap().is_empty());
    }
}
