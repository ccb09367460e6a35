//! Writes files into an image that is being built. Every directory is reached with the image as
//! root, so no link of the image leads out of it.

use super::open_in;
use crate::build::clean;
use fairway_blobs::{Blobs, Node, Tree, TreePath};
use rustix::{
    fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid},
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStringExt,
    },
    path::{Component, Path, PathBuf},
};

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);
const NOFOLLOW: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC);
/// Most links to nothing on the way to one path (`path_resolution(7)`).
const LINKS_MAX: usize = 40;

/// Writes with an owner, and perhaps permissions, of its own.
pub(crate) struct Writer<'a> {
    pub(crate) root: &'a OwnedFd,
    pub(crate) owner: Ownership,
    /// Instead of the permissions that files come with.
    pub(crate) mode: Option<u32>,
}

/// Who owns what is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ownership {
    /// These.
    Of(Uid, Gid),
    /// Whoever owns the original, or root where there is none.
    Kept,
}

impl Ownership {
    fn ids(self) -> (Uid, Gid) {
        match self {
            Self::Of(uid, gid) => (uid, gid),
            Self::Kept => (Uid::ROOT, Gid::ROOT),
        }
    }
}

impl Writer<'_> {
    /// Opens a directory of the image. It and those above it are made if they are not there, also
    /// where a link leads to nothing yet.
    pub(crate) fn directory(&self, path: &Path) -> io::Result<OwnedFd> {
        let mut rest = parts(path);
        let mut reached = PathBuf::from("/");
        let mut dir = open_in(self.root, &reached, DIRECTORY)?;
        let mut links = 0;
        while let Some(name) = rest.pop() {
            let next = reached.join(&name);
            match open_in(self.root, &next, DIRECTORY) {
                Ok(found) => (dir, reached) = (found, next),
                Err(Errno::NOENT) => {
                    let Ok(target) = rustix::fs::readlinkat(&dir, &name, Vec::new()) else {
                        (dir, reached) = (self.new_directory(&dir, &name, 0o755)?, next);
                        continue;
                    };
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(Errno::LOOP.into());
                    }
                    let target = OsString::from_vec(target.into_bytes());
                    rest.extend(parts(&clean(&reached.join(target))));
                    reached = PathBuf::from("/");
                    dir = open_in(self.root, &reached, DIRECTORY)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(dir)
    }

    /// Whether a path of the image is a directory or a link to one.
    pub(crate) fn is_directory(&self, path: &Path) -> bool {
        open_in(self.root, path, OFlags::PATH | OFlags::DIRECTORY).is_ok()
    }

    /// Writes all of a tree into a directory.
    pub(crate) fn tree(&self, into: &Path, tree: &Tree, blobs: &Blobs) -> io::Result<()> {
        let root = self.directory(into)?;
        let mut above: Vec<(TreePath, OwnedFd)> = Vec::new();
        for entry in tree.entries() {
            let parent = entry.path.parent();
            while above.pop_if(|(path, _)| Some(&*path) != parent.as_ref()).is_some() {}
            let dir = above.last().map_or(&root, |(_, dir)| dir);
            match &entry.node {
                Node::Directory { mode } => {
                    let made = self.subdirectory(dir, &into.join(&entry.path), mode.bits())?;
                    above.push((entry.path.clone(), made));
                }
                node => self.node(dir, entry.path.name(), node, blobs)?,
            }
        }
        Ok(())
    }

    /// Writes a file or link of a tree.
    pub(crate) fn node(
        &self,
        dir: &OwnedFd,
        name: &OsStr,
        node: &Node,
        blobs: &Blobs,
    ) -> io::Result<()> {
        match node {
            Node::File { mode, digest, .. } => {
                let mut blob = blobs.open_blob(digest).map_err(io::Error::other)?;
                self.file(dir, name, &mut blob, mode.bits()).map(drop)
            }
            Node::Symlink { target } => self.link(dir, name, target),
            Node::Directory { .. } => unreachable!("directories are written as trees"),
        }
    }

    /// Writes a file; what is there, but for a directory, is replaced.
    pub(crate) fn file(
        &self,
        dir: impl AsFd,
        name: &OsStr,
        content: &mut File,
        mode: u32,
    ) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | NOFOLLOW;
        clear(&dir, name)?;
        let file = rustix::fs::openat(&dir, name, flags, Mode::RUSR | Mode::WUSR)?;
        let mut file = File::from(file);
        // Within the kernel, and sharing blocks where the file system can.
        io::copy(content, &mut file)?;
        self.dress(&file, mode)?;
        Ok(file)
    }

    /// Writes a symbolic link; what is there, but for a directory, is replaced.
    pub(crate) fn link(&self, dir: impl AsFd, name: &OsStr, target: &OsStr) -> io::Result<()> {
        clear(&dir, name)?;
        rustix::fs::symlinkat(target, &dir, name)?;
        let (uid, gid) = self.owner.ids();
        Ok(rustix::fs::chownat(&dir, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Makes a directory at a path, in its open parent, or gives the one that is there its owner and
    /// permissions. A link of the image to a directory is followed and stays: `/bin` may be one.
    pub(crate) fn subdirectory(
        &self,
        dir: &OwnedFd,
        path: &Path,
        mode: u32,
    ) -> io::Result<OwnedFd> {
        let name = path.file_name().expect("a directory below another has a name");
        match rustix::fs::openat(dir, name, DIRECTORY | NOFOLLOW, Mode::empty()) {
            Ok(found) => {
                self.dress(&found, mode)?;
                return Ok(found);
            }
            Err(Errno::NOENT) => {}
            Err(Errno::NOTDIR | Errno::LOOP) => match open_in(self.root, path, DIRECTORY) {
                Ok(linked) => return Ok(linked),
                // A file, or a link to none, makes way.
                Err(_) => clear(dir, name)?,
            },
            Err(error) => return Err(error.into()),
        }
        self.new_directory(dir, name, mode)
    }

    fn new_directory(&self, dir: impl AsFd, name: &OsStr, mode: u32) -> io::Result<OwnedFd> {
        rustix::fs::mkdirat(&dir, name, Mode::RWXU)?;
        let opened = rustix::fs::openat(&dir, name, DIRECTORY | NOFOLLOW, Mode::empty())?;
        self.dress(&opened, mode)?;
        Ok(opened)
    }

    /// Owner first: a new owner clears the bits for running as the owner.
    fn dress(&self, file: impl AsFd, mode: u32) -> io::Result<()> {
        let (uid, gid) = self.owner.ids();
        rustix::fs::fchown(&file, Some(uid), Some(gid))?;
        Ok(rustix::fs::fchmod(&file, Mode::from_raw_mode(self.mode.unwrap_or(mode)))?)
    }
}

/// The names of a path, the last one first.
fn parts(path: &Path) -> Vec<OsString> {
    let name = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        _ => None,
    };
    path.components().rev().filter_map(name).collect()
}

/// Removes a file or link; a directory in the way is an error.
fn clear(dir: impl AsFd, name: &OsStr) -> io::Result<()> {
    match rustix::fs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
            Err(io::Error::from(io::ErrorKind::IsADirectory))
        }
        Ok(_) => Ok(rustix::fs::unlinkat(&dir, name, AtFlags::empty())?),
    }
}
