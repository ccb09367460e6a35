//! Where the commands of RUN are run: a build root of the embedded engine.

use crate::{
    error::BuildError,
    event::{BuildEvent, Events},
};
use fairway_engine::{EngineError, Exit, GroupId};
use fairway_engine_embedded::{BuildRoot, BuildStep, Embedded};

/// Opens a build root when the first command needs it, so that a build of which all was made before
/// touches no network. Dropped, it ends all that runs in it.
#[derive(Debug)]
pub(crate) struct LazyRoot {
    engine: Embedded,
    root: Option<BuildRoot>,
}

impl LazyRoot {
    pub(crate) fn new(engine: Embedded) -> Self {
        Self { engine, root: None }
    }

    /// Runs a command to its end.
    pub(crate) async fn run(
        &mut self,
        step: BuildStep,
        events: &Events,
    ) -> Result<Exit, BuildError> {
        let root = match self.root.take() {
            Some(root) => root,
            None => BuildRoot::open(&self.engine, group()?).await?,
        };
        let root = self.root.insert(root);
        let mut output = |event| events.send(BuildEvent::Output(event));
        // A build is cancelled by dropping it; see `Drop`.
        Ok(root.run(step, &mut output, std::future::pending()).await?)
    }

    /// Closes the build root, if it was opened.
    pub(crate) async fn close(mut self) -> Result<(), BuildError> {
        match self.root.take() {
            Some(root) => Ok(root.close().await?),
            None => Ok(()),
        }
    }
}

impl Drop for LazyRoot {
    fn drop(&mut self) {
        let Some(root) = self.root.take() else { return };
        // Without a runtime this process is about to end, and the root ends with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { drop(root.close().await) });
        }
    }
}

/// A group that no other build has.
fn group() -> Result<GroupId, EngineError> {
    let number = getrandom::u64()
        .map_err(|error| EngineError::Broken(format!("there is no randomness: {error}")))?;
    let id = format!("build-{number:016x}");
    Ok(id.parse().expect("hexadecimal digits and letters make a group's id"))
}
