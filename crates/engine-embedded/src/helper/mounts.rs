//! What is mounted in a container besides its image: file trees, named volumes, memory.
//!
//! All is mounted below the root in the helper's own mount namespace, so that it can be read after
//! the container has ended and no mount is seen by anybody else.

use super::{
    in_root::{Existed, InRoot, path_of},
    overlay::Overlay,
    user::User,
};
use crate::{
    copy::{copy_tree, make_whole},
    plan::Plan,
};
use fairway_engine::{EngineError, Mount, Volume};
use fairway_model::{ByteSize, TreeDigest};
use rustix::{
    fs::{AtFlags, CWD, Gid, OFlags, Uid, chownat},
    mount::{MountFlags, mount, mount_bind},
};
use std::{
    ffi::CString,
    fs, io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

/// Mounts everything below the root of a container.
pub(super) fn mount_all(
    plan: &Plan,
    root: &InRoot,
    user: &User,
    scratch: &Path,
) -> Result<(), EngineError> {
    for (index, wanted) in plan.mounts.iter().enumerate() {
        match wanted {
            Mount::Tree { at, tree } => {
                let (target, _) = directory(root, at)?;
                let files = plan.places.container_files(&plan.id).join(format!("tree-{index}"));
                let lower = unpacked(plan, *tree, user)?;
                let overlay = Overlay {
                    lowers: &[lower],
                    upper: &files.join("upper"),
                    work: &files.join("work"),
                };
                own_root(overlay.upper, user)?;
                overlay.mount(&path_of(&target), &scratch.join(format!("tree-{index}")))?;
            }
            Mount::Volume { at, volume } => mount_volume(plan, root, at, volume)?,
            Mount::Tmpfs { at, size } => mount_memory(root, at, *size, user)?,
        }
    }
    Ok(())
}

fn directory(root: &InRoot, at: &str) -> Result<(OwnedFd, Existed), EngineError> {
    root.make_directory(Path::new(at)).map_err(EngineError::io(format!("make `{at}`")))
}

/// The directory of a file tree with these owners, which containers share as the lower layer of
/// their copies. Root's is there already.
fn unpacked(plan: &Plan, tree: TreeDigest, user: &User) -> Result<PathBuf, EngineError> {
    let roots = plan.places.tree(&tree, 0, 0);
    let ready = plan.places.tree(&tree, user.uid, user.gid);
    if ready.is_dir() {
        return Ok(ready);
    }
    make_whole(&ready, |fresh| {
        copy_tree(&roots, fresh)?;
        own_all(fresh, user)
    })
    .map_err(EngineError::io(format!("unpack file tree `{}`", tree.0.short())))?;
    Ok(ready)
}

fn own(path: &Path, user: &User) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    Ok(chownat(CWD, path, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?)
}

fn own_all(path: &Path, user: &User) -> io::Result<()> {
    own(path, user)?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            own_all(&entry.path(), user)?;
        } else {
            own(&entry.path(), user)?;
        }
    }
    Ok(())
}

/// The root of an overlay has the owner and mode of its upper directory.
fn own_root(upper: &Path, user: &User) -> Result<(), EngineError> {
    fs::create_dir_all(upper)
        .and_then(|()| own(upper, user))
        .map_err(EngineError::io(format!("make `{}`", upper.display())))
}

fn mount_volume(plan: &Plan, root: &InRoot, at: &str, volume: &Volume) -> Result<(), EngineError> {
    let (target, existed) = directory(root, at)?;
    let files = plan.places.volume(volume);
    if !files.is_dir() {
        let image = match existed {
            Existed::Yes => Some(open(root, at)?),
            Existed::No => None,
        };
        make_whole(&files, |fresh| {
            image.as_ref().map_or(Ok(()), |image| copy_tree(&path_of(image), fresh))
        })
        .map_err(EngineError::io(format!("make volume `{}`", volume.name)))?;
    }
    mount_bind(&files, path_of(&target))
        .map_err(|error| EngineError::io(format!("mount volume `{}`", volume.name))(error.into()))
}

fn open(root: &InRoot, at: &str) -> Result<OwnedFd, EngineError> {
    root.at(Path::new(at), OFlags::RDONLY | OFlags::DIRECTORY)
        .map_err(EngineError::io(format!("open `{at}`")))
}

fn mount_memory(root: &InRoot, at: &str, size: ByteSize, user: &User) -> Result<(), EngineError> {
    let (target, existed) = directory(root, at)?;
    let owner = match existed {
        Existed::Yes => ",mode=1777".to_owned(),
        Existed::No => format!(",mode=755,uid={},gid={}", user.uid, user.gid),
    };
    let options = CString::new(format!("size={}{owner}", size.0)).expect("no zero byte is in it");
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", path_of(&target), "tmpfs", flags, &*options)
        .map_err(|error| EngineError::io(format!("mount memory at `{at}`"))(error.into()))
}
