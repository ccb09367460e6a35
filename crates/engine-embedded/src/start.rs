//! From a specification to a plan.

use crate::{
    copy::make_whole,
    embedded::Embedded,
    group,
    launch::{blocking, claim, launch},
    network,
    plan::{Networking, Plan, Upper},
    process_plan, remains,
    text::chain,
};
use fairway_blobs::materialize;
use fairway_engine::{ContainerId, ContainerSpec, EngineError, Mount};
use fairway_layers::{Image, LayerError};
use fairway_model::{Digest, TreeDigest};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
use std::path::{Path, PathBuf};

/// Starts a container; it runs when this returns.
pub(crate) async fn start(
    engine: &Embedded,
    id: &ContainerId,
    spec: &ContainerSpec,
) -> Result<(), EngineError> {
    claim(engine, id)?;
    let (own, id, spec) = (engine.clone(), id.clone(), spec.clone());
    let planning = {
        let id = id.clone();
        blocking(move || plan(&own, &id, &spec)).await
    };
    let started = match planning {
        Ok(plan) => launch(engine, plan).await,
        Err(error) => Err(error),
    };
    if started.is_err() {
        network::disconnect(engine, &id).await?;
        let (places, id) = (engine.places().clone(), id.clone());
        blocking(move || remains::remove_if_left(&places, &id)).await?;
    }
    started
}

fn plan(engine: &Embedded, id: &ContainerId, spec: &ContainerSpec) -> Result<Plan, EngineError> {
    let refuse = |error: process_plan::PlanError| EngineError::Start {
        container: id.clone(),
        why: error.to_string(),
    };
    let image = find(engine, &spec.image)?;
    let said = &image.config.config;
    let process = process_plan::process(said, spec, &id.name).map_err(refuse)?;
    let stop = process_plan::stop(said, spec).map_err(refuse)?;
    let group = group::load(engine.places(), &id.group)?;
    check_mounts(id, &spec.mounts)?;
    for mount in &spec.mounts {
        if let Mount::Tree { tree, .. } = mount {
            unpack(engine, *tree)?;
        }
    }
    Ok(Plan {
        id: id.clone(),
        places: engine.places().clone(),
        lowers: lowers(engine, image.lower_dirs),
        upper: Upper::Own,
        process,
        mounts: spec.mounts.clone(),
        limits: spec.limits,
        root: spec.root,
        network: Networking::Group {
            names: spec.names.clone(),
            port: process_plan::port(said, spec),
        },
        ready: process_plan::readiness(said, spec),
        stop,
        log_limit: spec.log_limit,
        owner: group.owner,
    })
}

/// The layers of a container over the layer of mount points.
pub(crate) fn lowers(engine: &Embedded, mut layers: Vec<PathBuf>) -> Vec<PathBuf> {
    layers.push(engine.places().skeleton());
    layers
}

fn check_mounts(id: &ContainerId, mounts: &[Mount]) -> Result<(), EngineError> {
    for mount in mounts {
        let at = match mount {
            Mount::Tree { at, .. } | Mount::Tmpfs { at, .. } => at,
            Mount::Volume { at, volume } => {
                crate::place::check_name(&volume.scope)?;
                crate::place::check_name(&volume.name)?;
                at
            }
        };
        if !at.starts_with('/') || at.split('/').any(|part| part == "..") {
            let why = format!("`{at}` is not an absolute path without `..`");
            return Err(EngineError::Start { container: id.clone(), why });
        }
    }
    Ok(())
}

/// Finds an image whose layers are here.
pub(crate) fn find(engine: &Embedded, image: &Digest) -> Result<Image, EngineError> {
    engine.layers().image(image).map_err(|error| match error {
        LayerError::NoImage(digest) => EngineError::NoImage(digest),
        error => EngineError::Broken(chain(&error)),
    })
}

/// Unpacks a file tree once, for all containers that get it.
fn unpack(engine: &Embedded, tree: TreeDigest) -> Result<(), EngineError> {
    let path = engine.places().tree(&tree, 0, 0);
    if mark_used(&path) {
        return Ok(());
    }
    make_whole(&path, |fresh| {
        materialize(engine.layers().blobs(), &tree, fresh).map_err(std::io::Error::other)
    })
    .map_err(EngineError::io(format!("unpack file tree `{}`", tree.0.short())))
}

/// Keeps a file tree from being swept; says whether it is there.
fn mark_used(path: &Path) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    utimensat(CWD, path, &times, AtFlags::empty()).is_ok()
}
