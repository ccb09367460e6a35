//! Writes a tree out into a directory. Every directory is entered through its parent's handle and
//! no link is followed, so nothing is written outside the destination.

use crate::{
    directory,
    entry::{Mode, Node},
    error::{BlobError, TreeError},
    store::Blobs,
    tree::Tree,
    tree_path::TreePath,
};
use fairway_model::{Digest, TreeDigest};
use rustix::{
    fs::{AtFlags, CWD, OFlags},
    io::Errno,
};
use std::{
    fs::{self, File},
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

/// Writes a tree into `dest`, which is made if it is not there. What is there and not in the tree
/// stays; a file in the way of a file or link is replaced; anything else in the way is an error.
pub fn materialize(blobs: &Blobs, tree: &TreeDigest, dest: &Path) -> Result<(), TreeError> {
    let tree = Tree::load(blobs, tree)?;
    fs::create_dir_all(dest).map_err(|error| TreeError::io("create", dest, error))?;
    let root =
        directory::open(CWD, dest.as_os_str()).map_err(|e| TreeError::io("open", dest, e))?;
    let mut writer = Writer { blobs, dest, root, above: Vec::new() };
    for entry in tree.entries() {
        writer.leave_to(entry.path.parent().as_ref())?;
        writer.write(&entry.path, &entry.node)?;
    }
    writer.leave_to(None)
}

struct Writer<'a> {
    blobs: &'a Blobs,
    dest: &'a Path,
    root: OwnedFd,
    /// The directories that are open, from the root down.
    above: Vec<Open>,
}

struct Open {
    path: TreePath,
    mode: Mode,
    dir: OwnedFd,
}

impl Writer<'_> {
    /// Closes directories until `parent` is the innermost. Only then do they get their permissions,
    /// so that a read-only directory can be filled.
    fn leave_to(&mut self, parent: Option<&TreePath>) -> Result<(), TreeError> {
        while let Some(open) = self.above.pop_if(|open| Some(&open.path) != parent) {
            rustix::fs::fchmod(&open.dir, open.mode.bits().into())
                .map_err(|error| self.failure("set the mode of", &open.path, error))?;
        }
        Ok(())
    }

    fn write(&mut self, path: &TreePath, node: &Node) -> Result<(), TreeError> {
        match node {
            Node::Directory { mode } => self.directory(path, *mode),
            Node::File { mode, size, digest } => {
                self.file(path, *mode)?.copy(self.blobs, digest, *size)
            }
            Node::Symlink { target } => {
                let link = |dir: &OwnedFd| rustix::fs::symlinkat(target, dir, path.name());
                self.replacing(path, link).map(drop)
            }
        }
    }

    fn directory(&mut self, path: &TreePath, mode: Mode) -> Result<(), TreeError> {
        let parent = self.parent();
        let opened = match rustix::fs::mkdirat(parent, path.name(), 0o700.into()) {
            Ok(()) | Err(Errno::EXIST) => directory::open(parent, path.name()),
            Err(error) => Err(error),
        };
        let dir = opened.map_err(|error| self.failure("create", path, error))?;
        self.above.push(Open { path: path.clone(), mode, dir });
        Ok(())
    }

    fn file(&self, path: &TreePath, mode: Mode) -> Result<NewFile, TreeError> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = self.replacing(path, |dir| {
            rustix::fs::openat(dir, path.name(), flags, mode.bits().into())
        })?;
        rustix::fs::fchmod(&file, mode.bits().into())
            .map_err(|error| self.failure("set the mode of", path, error))?;
        Ok(NewFile { file: File::from(file), path: self.dest.join(path) })
    }

    /// Makes something new at a path, after removing a file or link that is in the way.
    fn replacing<T>(
        &self,
        path: &TreePath,
        make: impl Fn(&OwnedFd) -> Result<T, Errno>,
    ) -> Result<T, TreeError> {
        let dir = self.parent();
        let result = match make(dir) {
            Err(Errno::EXIST) => {
                rustix::fs::unlinkat(dir, path.name(), AtFlags::empty()).and_then(|()| make(dir))
            }
            other => other,
        };
        result.map_err(|error| self.failure("write", path, error))
    }

    fn parent(&self) -> &OwnedFd {
        self.above.last().map_or(&self.root, |open| &open.dir)
    }

    fn failure(&self, action: &'static str, path: &TreePath, error: Errno) -> TreeError {
        TreeError::io(action, &self.dest.join(path), error)
    }
}

struct NewFile {
    file: File,
    path: PathBuf,
}

impl NewFile {
    /// Fills the file. The copy happens in the kernel, and shares blocks where the file system can.
    fn copy(mut self, blobs: &Blobs, digest: &Digest, size: u64) -> Result<(), TreeError> {
        let copied = io::copy(&mut blobs.open_blob(digest)?, &mut self.file)
            .map_err(|error| TreeError::io("write", &self.path, error))?;
        if copied == size { Ok(()) } else { Err(BlobError::Damaged(*digest).into()) }
    }
}
