//! Takes files out of containers.

use crate::{
    contact::{self, Found},
    embedded::Embedded,
    helper::{InRoot, path_of},
    launch::blocking,
    text::chain,
};
use fairway_blobs::{Blobs, CaptureRules, Modes, Selection, StatCache, capture};
use fairway_engine::{ContainerId, EngineError};
use fairway_model::TreeDigest;
use rustix::{
    fs::{FileType, OFlags, fstat},
    io::Errno,
};
use std::{
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

/// Takes a file or directory out of a container. The mounts are seen through the helper, which
/// keeps them until the container is removed.
pub(crate) async fn take_tree(
    engine: &Embedded,
    id: &ContainerId,
    path: &str,
) -> Result<Option<TreeDigest>, EngineError> {
    let helper = match contact::find(engine, id).await? {
        Found::Watched(_, state) => state.helper,
        Found::Lost(_) => return Err(EngineError::Lost(id.clone())),
    };
    let rootfs = engine.places().container(id).join("rootfs");
    let seen = format!("/proc/{}/root{}", helper.pid, rootfs.display());
    let (blobs, path) = (engine.layers().blobs().clone(), PathBuf::from(path));
    blocking(move || take(&blobs, Path::new(&seen), &path)).await
}

fn take(blobs: &Blobs, root: &Path, path: &Path) -> Result<Option<TreeDigest>, EngineError> {
    let failed = |error| EngineError::io(format!("open `{}`", path.display()))(error);
    let root = InRoot::open(root).map_err(failed)?;
    let opened = match root.at(path, OFlags::PATH) {
        Err(error) if is_absent(&error) => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let stat = fstat(&opened).map_err(|error| failed(error.into()))?;
    if FileType::from_raw_mode(stat.st_mode).is_dir() {
        return captured(blobs, &opened, &CaptureRules::all()).map(Some);
    }
    // A file is a tree of one entry, under the name it was asked for by.
    let name = path.file_name().ok_or_else(|| failed(Errno::INVAL.into()))?.to_owned();
    let parent = path.parent().unwrap_or(Path::new("/"));
    let parent = root.at(parent, OFlags::PATH | OFlags::DIRECTORY).map_err(failed)?;
    let select = move |path: &Path, _| {
        if path == Path::new(&name) { Selection::Take } else { Selection::Skip }
    };
    let rules = CaptureRules { modes: Modes::Exact, select: &select };
    captured(blobs, &parent, &rules).map(Some)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn captured(
    blobs: &Blobs,
    directory: &OwnedFd,
    rules: &CaptureRules<'_>,
) -> Result<TreeDigest, EngineError> {
    let directory = path_of(directory).join(".");
    let captured = capture(blobs, &directory, rules, &mut StatCache::forgetful());
    captured.map(|captured| captured.digest).map_err(|error| EngineError::Broken(chain(&error)))
}
