//! The files of an image that is being built, as one directory that only this build sees.

mod account;
mod mount;
mod transfer;
mod write;

pub(crate) use account::owner;
pub(crate) use mount::{Views, with_views};
pub(crate) use transfer::find;
pub(crate) use write::{Ownership, Writer};

use rustix::{
    fs::{Mode, OFlags, ResolveFlags},
    io::Errno,
};
use std::{
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

/// Opens a path below a directory, with every link resolved as if the directory were `/`.
pub(crate) fn open_in(
    root: impl AsFd,
    path: impl AsRef<Path>,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    let path = path.as_ref();
    let path = path.strip_prefix("/").unwrap_or(path);
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)
}
