//! Whether the engine can run here at all, and what to do if not.

use crate::helper::Hierarchies;
use fairway_engine::EngineError;
use rustix::{
    fs::statfs,
    mount::{FsOpenFlags, fsopen},
};
use std::{fs, os::unix::fs::MetadataExt, path::Path};

/// The magic numbers of overlayfs and tmpfs (statfs(2)).
const OVERLAYFS: u64 = 0x794c_7630;
const TMPFS: u64 = 0x0102_1994;

/// Checks that this process may do what the engine does; to be called first.
pub(crate) fn check_rights() -> Result<(), EngineError> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(unavailable("it needs root; run the same command with `sudo`"))
}

/// Checks what the machine and the directory for data, which exists, must offer.
pub(crate) fn check_machine(data: &Path) -> Result<(), EngineError> {
    // Asking for it also loads its module.
    if fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC).is_err() {
        return Err(unavailable(
            "this kernel has no overlayfs; load it with `modprobe overlay` or use a kernel with \
             `CONFIG_OVERLAY_FS`",
        ));
    }
    if kind(data)? == OVERLAYFS {
        return Err(unavailable(&format!(
            "`{}` lies on overlayfs, on which images cannot be stacked; set `FAIRWAY_HOME` to a \
             directory on ext4, xfs or btrfs (in a container: on a volume)",
            data.display()
        )));
    }
    match Hierarchies::here() {
        Ok(hierarchies) if !hierarchies.is_empty() => Ok(()),
        _ => Err(unavailable(
            "no control groups are mounted below `/sys/fs/cgroup`; mount them with \
             `mount -t cgroup2 none /sys/fs/cgroup`",
        )),
    }
}

/// Checks that nobody else can put anything into the runtime directory, whose parent may be open to
/// everybody.
pub(crate) fn check_private(runtime: &Path) -> Result<(), EngineError> {
    for dir in [Some(runtime), runtime.parent()].into_iter().flatten() {
        let doing = || format!("look at `{}`", dir.display());
        let metadata = fs::symlink_metadata(dir).map_err(EngineError::io(doing()))?;
        if !metadata.is_dir() || metadata.uid() != 0 || metadata.mode() & 0o022 != 0 {
            let why = format!(
                "`{}` must be a directory that only root can write; remove it and try again",
                dir.display()
            );
            return Err(unavailable(&why));
        }
    }
    Ok(())
}

/// Whether a directory is in memory.
pub(crate) fn is_memory(path: &Path) -> bool {
    kind(path).is_ok_and(|kind| kind == TMPFS)
}

fn kind(path: &Path) -> Result<u64, EngineError> {
    let known = statfs(path);
    let kind = known
        .map_err(|error| EngineError::io(format!("look at `{}`", path.display()))(error.into()))?;
    Ok(u64::try_from(kind.f_type).unwrap_or_default())
}

fn unavailable(why: &str) -> EngineError {
    EngineError::Unavailable { engine: "embedded", why: why.to_owned() }
}
