//! Mounts the layers of an image for one thread. The mounts go with the thread, so a build that is
//! killed leaves none.

use crate::error::BuildError;
use fairway_layers::{Draft, Layers};
use nix::sched::{CloneFlags, unshare};
use rustix::{
    fs::{Mode, OFlags},
    mount::{MountFlags, MountPropagationFlags, UnmountFlags},
};
use std::{
    ffi::CString,
    fs,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
    thread,
};

/// Changes are whole files and whole directories, so that the upper directory is a layer.
const OPTIONS: &str = "redirect_dir=off,metacopy=off,index=off";

/// The roots that a step of a build works on.
pub(crate) struct Views {
    /// The image that is being built; changes become its next layer.
    pub(crate) root: OwnedFd,
    /// The image that files are copied from.
    pub(crate) source: Option<OwnedFd>,
}

/// Does work on the files of an image: `lower_dirs`, the highest first, with the draft on top.
/// Blocks until it is done.
pub(crate) fn with_views<T: Send>(
    layers: &Layers,
    draft: &Draft,
    lower_dirs: &[PathBuf],
    source_dirs: Option<&[PathBuf]>,
    work: impl FnOnce(&Views) -> Result<T, BuildError> + Send,
) -> Result<T, BuildError> {
    let job = || {
        let mut mounts = Mounts::new(layers.dir())?;
        let root = mounts.root(draft, lower_dirs)?;
        let source = source_dirs.map(|dirs| mounts.source(draft, dirs)).transpose()?;
        let done = work(&Views { root, source })?;
        mounts.unmount()?;
        Ok(done)
    };
    thread::scope(|scope| {
        let thread = scope.spawn(job);
        match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// A thread with mounts and a working directory of its own.
struct Mounts<'a> {
    dir: &'a Path,
    mounted: Vec<PathBuf>,
}

impl<'a> Mounts<'a> {
    fn new(dir: &'a Path) -> Result<Self, BuildError> {
        let failure = |error| BuildError::io("separate the mounts of", dir, error);
        unshare(CloneFlags::CLONE_FS | CloneFlags::CLONE_NEWNS)
            .map_err(|error| failure(error.into()))?;
        let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        rustix::mount::mount_change("/", private).map_err(|error| failure(error.into()))?;
        // Options of a mount must fit one page, so layers are named from here.
        std::env::set_current_dir(dir).map_err(failure)?;
        Ok(Self { dir, mounted: Vec::new() })
    }

    /// The image with the draft on top of it. Without any layer, it is the draft alone.
    fn root(&mut self, draft: &Draft, lower_dirs: &[PathBuf]) -> Result<OwnedFd, BuildError> {
        if lower_dirs.is_empty() {
            return open(&draft.upper());
        }
        let mut options = format!("{OPTIONS},volatile,").into_bytes();
        self.push(&mut options, "lowerdir=", lower_dirs);
        self.push(&mut options, ",upperdir=", &[draft.upper()]);
        self.push(&mut options, ",workdir=", &[draft.work()]);
        self.mount(draft.mount_point(), options)
    }

    /// An image to read from.
    fn source(&mut self, draft: &Draft, lower_dirs: &[PathBuf]) -> Result<OwnedFd, BuildError> {
        let target = draft.mount_point().with_file_name("source");
        match lower_dirs {
            [] => {
                fs::create_dir(&target).map_err(|e| BuildError::io("create", &target, e))?;
                open(&target)
            }
            [only] => open(only),
            several => {
                let mut options = Vec::new();
                self.push(&mut options, "lowerdir=", several);
                self.mount(target, options)
            }
        }
    }

    fn push(&self, options: &mut Vec<u8>, name: &str, dirs: &[PathBuf]) {
        options.extend_from_slice(name.as_bytes());
        for (index, dir) in dirs.iter().enumerate() {
            if index > 0 {
                options.push(b':');
            }
            let short = dir.strip_prefix(self.dir).unwrap_or(dir);
            options.extend_from_slice(short.as_os_str().as_bytes());
        }
    }

    fn mount(&mut self, target: PathBuf, options: Vec<u8>) -> Result<OwnedFd, BuildError> {
        fs::create_dir_all(&target).map_err(|error| BuildError::io("create", &target, error))?;
        let options = CString::new(options).expect("paths and options have no NUL bytes");
        rustix::mount::mount("overlay", &target, "overlay", MountFlags::empty(), &*options)
            .map_err(|error| BuildError::io("mount an overlay at", &target, error))?;
        let root = open(&target);
        self.mounted.push(target);
        root
    }

    /// Lets go of the mounts before the end of the thread does, so that the draft can be moved at
    /// once.
    fn unmount(&self) -> Result<(), BuildError> {
        for target in &self.mounted {
            rustix::mount::unmount(target, UnmountFlags::DETACH)
                .map_err(|error| BuildError::io("unmount", target, error))?;
        }
        Ok(())
    }
}

fn open(dir: &Path) -> Result<OwnedFd, BuildError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(dir, flags, Mode::empty()).map_err(|e| BuildError::io("open", dir, e))
}
