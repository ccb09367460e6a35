//! The root directory of a container: its image with what else is mounted, seen by the helper alone.

use super::{in_root::InRoot, limits, mounts, overlay::Overlay, user::User};
use crate::{
    plan::{Plan, Upper},
    wire::Connected,
};
use fairway_engine::EngineError;
use rustix::{
    io::Errno,
    mount::{UnmountFlags, unmount},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Largest account file of an image that is read.
const ACCOUNTS_MAX: u64 = 4 << 20;

/// Mounts the image and what else is wanted, and finds out who the user is.
pub(super) fn prepare_root(plan: &Plan, dir: &Path) -> Result<User, EngineError> {
    let rootfs = dir.join("rootfs");
    fs::create_dir_all(&rootfs).map_err(EngineError::io("make the root directory"))?;
    let (upper, work) = upper_and_work(plan);
    let overlay = Overlay { lowers: &plan.lowers, upper: &upper, work: &work };
    overlay.mount(&rootfs, &dir.join("layers"))?;
    let root = InRoot::open(&rootfs).map_err(EngineError::io("open the root directory"))?;
    let user = find_user(&root, &plan.process.user)?;
    mounts::mount_all(plan, &root, &user, dir)?;
    let cwd = &plan.process.cwd;
    root.make_directory(Path::new(cwd)).map_err(EngineError::io(format!("make `{cwd}`")))?;
    Ok(user)
}

fn upper_and_work(plan: &Plan) -> (PathBuf, PathBuf) {
    let files = plan.places.container_files(&plan.id);
    match &plan.upper {
        Upper::Own => (files.join("upper"), files.join("work")),
        Upper::Given { upper, work } => (upper.clone(), work.clone()),
    }
}

/// Looks a user up in the accounts of an image.
pub(super) fn find_user(root: &InRoot, user: &str) -> Result<User, EngineError> {
    let read = |path| {
        root.text(path, ACCOUNTS_MAX).map_err(EngineError::io(format!("read the image's `{path}`")))
    };
    let (passwd, group) = (read("/etc/passwd")?, read("/etc/group")?);
    User::resolve(user, &passwd, &group).map_err(|error| EngineError::Broken(error.to_string()))
}

/// Writes the files that are mounted over those of the image.
pub(super) fn write_names(
    plan: &Plan,
    dir: &Path,
    connected: &Connected,
) -> Result<(), EngineError> {
    let name = &plan.process.hostname;
    let hosts = format!(
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n{}\t{name}\n",
        connected.address.ip()
    );
    for (file, text) in [
        ("hostname", format!("{name}\n")),
        ("hosts", hosts),
        ("resolv.conf", connected.resolver.clone()),
    ] {
        fs::write(dir.join(file), text).map_err(EngineError::io(format!("write `{file}`")))?;
    }
    Ok(())
}

/// Takes the root directory of a container away from this process. What is removed afterwards must
/// not reach through its mounts: volumes are among them.
pub(super) fn unmount_root(dir: &Path) -> Result<(), EngineError> {
    for path in limits::bounds(dir).into_iter().chain([dir.join("rootfs")]) {
        match unmount(&path, UnmountFlags::DETACH) {
            // It was not mounted yet.
            Ok(()) | Err(Errno::INVAL | Errno::NOENT) => {}
            Err(error) => {
                return Err(EngineError::io(format!("unmount `{}`", path.display()))(error.into()));
            }
        }
    }
    Ok(())
}
