//! Overlays: read-only layers with a writable directory on top.
//!
//! The mount API of newer kernels takes any number of layers one by one. Where it is missing, all
//! options must fit one page: then layers are named by short links in the working directory.

use fairway_engine::EngineError;
use rustix::{
    io::Errno,
    mount::{
        FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, fsconfig_create,
        fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount, move_mount,
    },
};
use std::{
    ffi::CString,
    fs, io,
    os::{
        fd::OwnedFd,
        unix::{ffi::OsStrExt, fs::symlink},
    },
    path::{Path, PathBuf},
};

/// An overlay that is to be mounted.
pub(crate) struct Overlay<'a> {
    /// Layers, top first; at least one.
    pub(crate) lowers: &'a [PathBuf],
    /// Where changes go.
    pub(crate) upper: &'a Path,
    /// An empty directory on the same file system.
    pub(crate) work: &'a Path,
}

/// Options of every overlay: changes are whole files and whole directories, so that an upper
/// directory can be read as a layer.
const OPTIONS: [(&str, &str); 3] = [("redirect_dir", "off"), ("metacopy", "off"), ("index", "off")];

impl Overlay<'_> {
    /// Mounts it. `scratch` is a directory for the links of older kernels.
    pub(crate) fn mount(&self, target: &Path, scratch: &Path) -> Result<(), EngineError> {
        for directory in [self.upper, self.work] {
            fs::create_dir_all(directory)
                .map_err(EngineError::io(format!("make `{}`", directory.display())))?;
        }
        let mounted = match self.layers_one_by_one() {
            Ok(context) => self.mount_stepwise(&context, target).map_err(io::Error::from),
            Err(Errno::NOSYS | Errno::INVAL) => self.mount_at_once(target, scratch),
            Err(error) => Err(error.into()),
        };
        let what = format!("mount an overlay of {} layers", self.lowers.len());
        mounted.map_err(EngineError::io(what))
    }

    /// With fsopen(2); `lowerdir+` exists since Linux 6.5.
    fn layers_one_by_one(&self) -> rustix::io::Result<OwnedFd> {
        let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
        for lower in self.lowers {
            fsconfig_set_string(&context, "lowerdir+", lower)?;
        }
        Ok(context)
    }

    fn mount_stepwise(&self, context: &OwnedFd, target: &Path) -> rustix::io::Result<()> {
        fsconfig_set_string(context, "upperdir", self.upper)?;
        fsconfig_set_string(context, "workdir", self.work)?;
        for (key, value) in OPTIONS {
            fsconfig_set_string(context, key, value)?;
        }
        // Nothing in a container survives the machine, so nothing needs to reach the disk.
        fsconfig_set_flag(context, "volatile")?;
        fsconfig_create(context)?;
        let flags = FsMountFlags::FSMOUNT_CLOEXEC;
        let mounted = fsmount(context, flags, MountAttrFlags::empty())?;
        // The target may be named by a link in `/proc/self/fd`.
        let how = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_SYMLINKS;
        move_mount(&mounted, "", rustix::fs::CWD, target, how)
    }

    /// With mount(2).
    fn mount_at_once(&self, target: &Path, scratch: &Path) -> io::Result<()> {
        fs::create_dir_all(scratch)?;
        for (index, lower) in self.lowers.iter().enumerate() {
            symlink(lower, scratch.join(index.to_string()))?;
        }
        let names: Vec<_> = (0..self.lowers.len()).map(|index| index.to_string()).collect();
        let mut options = format!("lowerdir={}", names.join(":")).into_bytes();
        for (key, path) in [("upperdir", self.upper), ("workdir", self.work)] {
            options.extend_from_slice(format!(",{key}=").as_bytes());
            options.extend_from_slice(path.as_os_str().as_bytes());
        }
        for (key, value) in OPTIONS {
            options.extend_from_slice(format!(",{key}={value}").as_bytes());
        }
        let before = std::env::current_dir()?;
        std::env::set_current_dir(scratch)?;
        let options = CString::new(options)?;
        let mounted = mount("overlay", target, "overlay", MountFlags::empty(), &*options);
        std::env::set_current_dir(before)?;
        Ok(mounted?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::{
        mount::{MountPropagationFlags, mount_change},
        thread::{UnshareFlags, unshare_unsafe},
    };

    #[expect(unsafe_code, reason = "there is no safe unshare")]
    fn in_own_mounts(test: impl FnOnce() + Send + 'static) {
        let thread = std::thread::spawn(|| {
            // SAFETY: the file table is not unshared.
            unsafe { unshare_unsafe(UnshareFlags::NEWNS) }.unwrap();
            let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
            mount_change("/", private).unwrap();
            test();
        });
        thread.join().unwrap();
    }

    fn check_hundred(mount: fn(&Overlay<'_>, &Path, &Path)) {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let path = dir.path().to_owned();
        in_own_mounts(move || {
            let lowers: Vec<_> =
                (0..100).map(|n| path.join(format!("a-layer-with-a-long-name-{n}"))).collect();
            for (number, lower) in lowers.iter().enumerate() {
                fs::create_dir_all(lower).unwrap();
                fs::write(lower.join("who"), number.to_string()).unwrap();
                fs::write(lower.join(number.to_string()), "").unwrap();
            }
            let (upper, work, target) = (path.join("upper"), path.join("work"), path.join("at"));
            for made in [&upper, &work, &target] {
                fs::create_dir(made).unwrap();
            }
            let overlay = Overlay { lowers: &lowers, upper: &upper, work: &work };
            mount(&overlay, &target, &path.join("scratch"));
            assert_eq!(fs::read_dir(&target).unwrap().count(), 101);
            assert_eq!(fs::read_to_string(target.join("who")).unwrap(), "0");
        });
    }

    #[test]
    fn a_hundred_layers_are_mounted_top_first() {
        check_hundred(|overlay, target, scratch| overlay.mount(target, scratch).unwrap());
    }

    #[test]
    fn a_hundred_layers_fit_the_options_of_older_kernels() {
        check_hundred(|overlay, target, scratch| overlay.mount_at_once(target, scratch).unwrap());
    }
}
