//! Runs the steps of image builds.
//!
//! A build root is a group of its own, with its own uplink to the outside. Each step is one process
//! over given layers; what it changes is in a directory of the caller afterwards, in the form of
//! overlayfs (a removed file is a character device 0/0, a replaced directory has the attribute
//! `trusted.overlay.opaque`), ready to become a layer.

use crate::{
    contact,
    embedded::Embedded,
    launch::{blocking, claim, launch},
    logs,
    plan::{Networking, Plan, Process, StopSignal, Upper},
    remains,
    start::lowers,
};
use fairway_engine::{
    ContainerEvent, ContainerId, ContainerSpec, EngineError, Exit, ExitStatus, GroupId, Keep,
    LogEvent, LogFrom, Names, RootAccess, Sandbox,
};
use fairway_model::config::Resources;
use futures_util::StreamExt;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// Where the steps of one build run. It goes with this process, if it is not closed before.
#[derive(Debug)]
pub struct BuildRoot {
    engine: Embedded,
    group: GroupId,
    steps: AtomicU32,
}

/// One process of a build.
#[derive(Debug, Clone)]
pub struct BuildStep {
    /// The directories of the layers below, the highest first; at least one.
    pub lower_dirs: Vec<PathBuf>,
    /// Where its changes go; not on overlayfs. It may hold changes already.
    pub upper: PathBuf,
    /// An empty directory for overlayfs on the same file system as `upper`.
    pub work: PathBuf,
    /// Program and arguments.
    pub args: Vec<String>,
    /// All its variables but `HOME` and `HOSTNAME`, which are added if they are missing.
    pub env: BTreeMap<String, String>,
    /// `user`, `uid`, `user:group` or `uid:gid`, looked up in the image; empty for root.
    pub user: String,
    /// An absolute path; it is made if it is not there.
    pub working_dir: String,
    /// Whether it reaches the outside.
    pub network: BuildNetwork,
    /// Its limits.
    pub limits: Resources,
}

/// Whether a build step reaches the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildNetwork {
    /// Not at all.
    None,
    /// Through the build root's uplink.
    Uplink,
}

impl BuildRoot {
    /// Opens a build root; the group is of this build alone.
    pub async fn open(engine: &Embedded, group: GroupId) -> Result<Self, EngineError> {
        engine.open(&group, Keep::WhileOwned).await?;
        Ok(Self { engine: engine.clone(), group, steps: AtomicU32::new(0) })
    }

    /// Runs a step and gives its output line by line. When `cancel` is done first, the step is
    /// killed, and the exit says so.
    pub async fn run(
        &self,
        step: BuildStep,
        output: &mut (dyn FnMut(LogEvent) + Send),
        cancel: impl Future<Output = ()> + Send,
    ) -> Result<Exit, EngineError> {
        let number = self.steps.fetch_add(1, Ordering::Relaxed);
        let id = ContainerId { group: self.group.clone(), name: format!("step-{number}") };
        claim(&self.engine, &id)?;
        let owner = crate::group::load(self.engine.places(), &self.group)?.owner;
        let plan = Plan { owner, ..plan(&self.engine, &id, step) };
        if let Err(error) = launch(&self.engine, plan).await {
            let places = self.engine.places().clone();
            blocking(move || remains::remove_if_left(&places, &id)).await?;
            return Err(error);
        }
        let ended = tokio::select! {
            ended = self.follow(&id, output) => ended,
            () = cancel => Ok(Exit {
                status: ExitStatus::Signal(9),
                memory_kills: 0,
                process_refusals: 0,
                at: crate::state::now(),
            }),
        };
        contact::remove(&self.engine, &id).await?;
        ended
    }

    /// Closes it with all that runs in it.
    pub async fn close(self) -> Result<(), EngineError> {
        self.engine.close(&self.group).await
    }

    async fn follow(
        &self,
        id: &ContainerId,
        output: &mut (dyn FnMut(LogEvent) + Send),
    ) -> Result<Exit, EngineError> {
        let mut events = logs::read(&self.engine, id, LogFrom::StartAndFollow).await?;
        while let Some(event) = events.next().await {
            output(event?);
        }
        let mut becoming = self.engine.watch(id).await?;
        while let Some(event) = becoming.next().await {
            match event {
                ContainerEvent::Exited(Exit { status: ExitStatus::Lost, .. }) => {
                    return Err(EngineError::Lost(id.clone()));
                }
                ContainerEvent::Exited(exit) => return Ok(exit),
                _ => {}
            }
        }
        Err(EngineError::NoContainer(id.clone()))
    }
}

fn plan(engine: &Embedded, id: &ContainerId, step: BuildStep) -> Plan {
    Plan {
        id: id.clone(),
        places: engine.places().clone(),
        lowers: lowers(engine, step.lower_dirs),
        upper: Upper::Given { upper: step.upper, work: step.work },
        process: Process {
            args: step.args,
            env: step.env,
            user: step.user,
            cwd: step.working_dir,
            hostname: "build".to_owned(),
        },
        mounts: Vec::new(),
        limits: step.limits,
        root: RootAccess::Writable,
        network: match step.network {
            BuildNetwork::None => Networking::None,
            BuildNetwork::Uplink => Networking::Group { names: Names::default(), port: 0 },
        },
        ready: None,
        stop: StopSignal { signal: 9, grace: Duration::ZERO },
        log_limit: ContainerSpec::LOG_LIMIT,
        owner: None,
    }
}
