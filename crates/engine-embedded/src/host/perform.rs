//! What takes time and concerns one container: starting, listening, stopping. Each runs as a task
//! of its own and says what happened.

use super::decide::Input;
use super::replica::Key;
use crate::{embedded::Embedded, state::now, text::chain};
use fairway_engine::{
    ContainerEvent, ContainerId, ContainerSpec, EngineError, Exit, ExitStatus, GroupId, Sandbox,
};
use futures_util::StreamExt;
use std::time::Duration;
use tokio::{sync::mpsc, time::sleep};

/// Pause before something that failed is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// How long a replica that is to stop still serves. New connections go elsewhere by then; those that
/// it has not accepted yet, and requests of who heard of it late, are answered.
const PARTING: Duration = Duration::from_millis(200);

/// How often the removal of a container is tried.
const ATTEMPTS: u32 = 10;

/// The containers of one group, and whom to tell what became of them.
#[derive(Clone)]
pub(super) struct Performer {
    pub(super) engine: Embedded,
    pub(super) group: GroupId,
    pub(super) heard: mpsc::Sender<Input>,
}

impl Performer {
    /// The container of a replica.
    pub(super) fn container(&self, key: &Key) -> ContainerId {
        ContainerId { group: self.group.clone(), name: key.to_string() }
    }

    /// Starts a container and listens to it.
    pub(super) async fn start(self, key: Key, spec: ContainerSpec) {
        let id = self.container(&key);
        let started = match self.engine.start(&id, &spec).await {
            // Somebody was killed while he started it.
            Err(EngineError::Exists(_)) => match self.engine.remove(&id).await {
                Ok(()) => self.engine.start(&id, &spec).await,
                Err(error) => Err(error),
            },
            started => started,
        };
        match started {
            Ok(()) => self.watch(key).await,
            Err(error) => self.say(Input::Refused(key, chain(&error))).await,
        }
    }

    /// Listens to a container until it ends.
    pub(super) async fn watch(self, key: Key) {
        let id = self.container(&key);
        loop {
            match self.engine.watch(&id).await {
                Ok(mut events) => {
                    while let Some(event) = events.next().await {
                        let is_end = matches!(event, ContainerEvent::Exited(_));
                        self.say(Input::Event(key.clone(), event)).await;
                        if is_end {
                            return;
                        }
                    }
                }
                Err(EngineError::NoContainer(_)) => {
                    return self.say(Input::Event(key, ContainerEvent::Exited(lost()))).await;
                }
                // It is asked again: only its end ends this.
                Err(_) => {}
            }
            sleep(PAUSE).await;
        }
    }

    /// Stops a container with its grace and removes it.
    pub(super) async fn retire(self, key: Key) -> Result<(), EngineError> {
        let id = self.container(&key);
        sleep(PARTING).await;
        let stopped = match self.engine.stop(&id).await {
            Ok(_) | Err(EngineError::NoContainer(_)) => Ok(()),
            // Removing it kills it.
            Err(error) => Err(error),
        };
        let removed = self.remove(&id).await;
        self.say(Input::Removed(key)).await;
        stopped.and(removed)
    }

    /// Removes a container that has ended.
    pub(super) async fn discard(self, key: Key) -> Result<(), EngineError> {
        self.remove(&self.container(&key)).await
    }

    async fn remove(&self, id: &ContainerId) -> Result<(), EngineError> {
        let mut attempt = 1;
        loop {
            match self.engine.remove(id).await {
                Ok(()) | Err(EngineError::NoContainer(_)) => return Ok(()),
                Err(error) if attempt == ATTEMPTS => return Err(error),
                Err(_) => attempt += 1,
            }
            sleep(PAUSE).await;
        }
    }

    async fn say(&self, input: Input) {
        // Nobody listens once the group is left.
        drop(self.heard.send(input).await);
    }
}

/// The end of a container of which nothing is left to say how it ended.
fn lost() -> Exit {
    Exit { status: ExitStatus::Lost, memory_kills: 0, process_refusals: 0, at: now() }
}
