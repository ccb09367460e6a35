//! Copies files from one image to another, with their owners, permissions, times and attributes.

use super::{Ownership, Writer, open_in};
use crate::ignore::glob;
use rustix::{
    fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, XattrFlags},
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Path, PathBuf},
};

/// The attribute that lets a program do single things that only root may.
const CAPABILITY: &str = "security.capability";
const CAPABILITY_MAX: usize = 64;

/// Something of the source image that a COPY names.
pub(crate) struct Found {
    /// Its last component; none for the root.
    pub(crate) name: Option<OsString>,
    pub(crate) file: OwnedFd,
    pub(crate) kind: FileType,
}

/// What a path or pattern names in an image, sorted. Links are followed within the image.
pub(crate) fn find(root: &OwnedFd, pattern: &str) -> io::Result<Vec<Found>> {
    let mut paths = vec![PathBuf::new()];
    for part in pattern.split('/').filter(|part| !matches!(*part, "" | "." | "..")) {
        if part.contains(['*', '?', '[']) {
            let matcher = glob(part).map_err(io::Error::other)?;
            let mut next = Vec::new();
            for path in paths {
                let names = match open_in(root, &path, OFlags::RDONLY | OFlags::DIRECTORY) {
                    Ok(dir) => names(&dir)?,
                    Err(_) => continue,
                };
                next.extend(names.iter().filter(|n| matcher.is_match(n)).map(|n| path.join(n)));
            }
            paths = next;
        } else {
            let part = part.replace('\\', "");
            paths = paths.into_iter().map(|path| path.join(&part)).collect();
        }
    }
    let mut found = Vec::new();
    for path in paths {
        match open_in(root, &path, OFlags::RDONLY | OFlags::NONBLOCK) {
            Ok(file) => {
                let kind = FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode);
                let name = path.file_name().map(OsStr::to_owned);
                found.push(Found { name, file, kind });
            }
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

impl Writer<'_> {
    /// Copies an open file.
    pub(crate) fn transfer_file(
        &self,
        from: &OwnedFd,
        dir: &OwnedFd,
        name: &OsStr,
    ) -> io::Result<()> {
        let stat = rustix::fs::fstat(from)?;
        let mut content = File::from(rustix::io::dup(from)?);
        let writer = self.like(&stat);
        let file = writer.file(dir, name, &mut content, stat.st_mode & 0o7777)?;
        copy_capability(from, &file)?;
        Ok(rustix::fs::futimens(&file, &times(&stat))?)
    }

    /// Copies what is in an open directory to a directory of the image.
    pub(crate) fn transfer_content(&self, from: &OwnedFd, into: &Path) -> io::Result<()> {
        let to = self.directory(into)?;
        self.transfer_all(from, &to, into)
    }

    fn transfer_all(&self, from: &OwnedFd, to: &OwnedFd, into: &Path) -> io::Result<()> {
        names(from)?.iter().try_for_each(|name| self.transfer(from, to, &into.join(name)))
    }

    fn transfer(&self, from: &OwnedFd, to: &OwnedFd, path: &Path) -> io::Result<()> {
        let name = path.file_name().expect("an entry of a directory has a name");
        let stat = rustix::fs::statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let writer = self.like(&stat);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let inner = rustix::fs::openat(from, name, flags, Mode::empty())?;
                let made = writer.subdirectory(to, path, stat.st_mode & 0o7777)?;
                self.transfer_all(&inner, &made, path)?;
                Ok(rustix::fs::futimens(&made, &times(&stat))?)
            }
            FileType::RegularFile => {
                let file = rustix::fs::openat(from, name, flags, Mode::empty())?;
                self.transfer_file(&file, to, name)
            }
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(from, name, Vec::new())?.into_bytes();
                writer.link(to, name, &OsString::from_vec(target))
            }
            // Devices, pipes and sockets are not copied from image to image.
            _ => Ok(()),
        }
    }

    /// A writer with the owner of the original, if that is kept.
    fn like(&self, stat: &Stat) -> Writer<'_> {
        let owner = match self.owner {
            Ownership::Kept => {
                Ownership::Of(Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid))
            }
            given @ Ownership::Of(..) => given,
        };
        Writer { root: self.root, owner, mode: self.mode }
    }
}

fn times(stat: &Stat) -> Timestamps {
    let time = Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec.cast_signed() };
    Timestamps { last_access: time, last_modification: time }
}

fn copy_capability(from: impl AsFd, to: impl AsFd) -> io::Result<()> {
    let mut value = [0; CAPABILITY_MAX];
    match rustix::fs::fgetxattr(from, CAPABILITY, &mut value[..]) {
        Ok(length) => {
            Ok(rustix::fs::fsetxattr(to, CAPABILITY, &value[..length], XattrFlags::empty())?)
        }
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The names in a directory, sorted.
fn names(dir: &OwnedFd) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = Path::new(OsStr::from_bytes(entry.file_name().to_bytes()));
        if name != Path::new(".") && name != Path::new("..") {
            names.push(name.as_os_str().to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}
