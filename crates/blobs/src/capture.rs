//! Takes a directory into the store as a tree.
//!
//! Every directory is entered through its parent's handle and no link is followed, so what a hostile
//! build step left behind cannot lead outside the root. Sockets, pipes and devices are no part of a
//! tree and are passed over.

use crate::{
    directory,
    entry::{Entry, Mode, Node},
    error::TreeError,
    stat_cache::{Look, StatCache},
    store::Blobs,
    tree::Tree,
    tree_path::TreePath,
    writer::{BlobWriter, Durability, unnamed_file},
};
use fairway_model::{Digest, TreeDigest};
use rustix::{
    fs::{AtFlags, FileType, OFlags, Stat},
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    fs::File,
    os::{fd::OwnedFd, unix::ffi::OsStringExt},
    path::Path,
};

/// How often a file that changes under the reader is read before giving up.
const READS_MAX: usize = 5;

/// What a capture does with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Part of the tree; of a directory, what is in it is asked about one by one.
    Take,
    /// A directory that is looked into; part of the tree only if something in it is.
    Enter,
    /// Not looked at, nor anything in it.
    Skip,
}

/// Which permissions a tree records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modes {
    /// `0644` and `0755`, so that checkouts of one source under any umask are equal.
    Source,
    /// All nine permission bits as they are.
    Exact,
}

/// What is found at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A file.
    File,
    /// A symbolic link.
    Symlink,
}

/// What a capture takes and how.
pub struct CaptureRules<'a> {
    /// Which permissions to record.
    pub modes: Modes,
    /// Decides on a path relative to the root.
    pub select: &'a dyn Fn(&Path, Kind) -> Selection,
}

impl CaptureRules<'_> {
    /// Takes everything, with exact permissions.
    pub fn all() -> Self {
        CaptureRules { modes: Modes::Exact, select: &|_, _| Selection::Take }
    }
}

/// What a capture found.
#[derive(Debug)]
pub struct Captured {
    /// The name of the tree, whose manifest is stored.
    pub digest: TreeDigest,
    /// The tree.
    pub tree: Tree,
    /// How many files had to be read, because the cache did not know them.
    pub files_read: usize,
}

/// Captures the directory `root`, which is itself not followed if it is a link. Trees are not
/// synced to disk: after a power failure, ask [`Tree::is_complete`].
pub fn capture(
    blobs: &Blobs,
    root: &Path,
    rules: &CaptureRules<'_>,
    cache: &mut StatCache,
) -> Result<Captured, TreeError> {
    let dir = directory::open(rustix::fs::CWD, root.as_os_str())
        .map_err(|error| TreeError::io("open", root, error))?;
    let mut walk =
        Walk { blobs, root, rules, cache, now: now(blobs)?, entries: Vec::new(), files_read: 0 };
    walk.directory(&dir, Path::new(""))?;
    let Walk { entries, files_read, .. } = walk;
    let tree = Tree::from_entries(entries)?;
    Ok(Captured { digest: tree.store(blobs)?, tree, files_read })
}

/// The time by the clock that stamps files.
fn now(blobs: &Blobs) -> Result<i128, TreeError> {
    let stat = rustix::fs::fstat(unnamed_file(blobs)?)
        .map_err(|error| TreeError::io("look at", blobs.dir(), error))?;
    Ok(Look::of(&stat).last_change())
}

struct Walk<'a> {
    blobs: &'a Blobs,
    root: &'a Path,
    rules: &'a CaptureRules<'a>,
    cache: &'a mut StatCache,
    now: i128,
    entries: Vec<Entry>,
    files_read: usize,
}

/// A path in an open directory.
struct Place<'a> {
    dir: &'a OwnedFd,
    name: &'a OsStr,
    path: TreePath,
}

impl Walk<'_> {
    fn directory(&mut self, dir: &OwnedFd, path: &Path) -> Result<(), TreeError> {
        let names = directory::names(dir).map_err(|error| self.failure("read", path, error))?;
        for name in names {
            let path = path.join(&name);
            let stat = match rustix::fs::statat(dir, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(self.failure("look at", &path, error)),
            };
            let Some(kind) = kind(&stat) else { continue };
            let selection = (self.rules.select)(&path, kind);
            match selection {
                Selection::Skip => continue,
                Selection::Enter if kind != Kind::Directory => continue,
                Selection::Enter | Selection::Take => {}
            }
            let path = TreePath::new(&path)
                .map_err(|source| TreeError::Path { path: self.root.join(&path), source })?;
            let at = Place { dir, name: &name, path };
            self.entry(&at, &stat, kind, selection)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        at: &Place<'_>,
        stat: &Stat,
        kind: Kind,
        selection: Selection,
    ) -> Result<(), TreeError> {
        let mode = self.mode(stat, kind);
        let node = match kind {
            Kind::Directory => return self.subdirectory(at, mode, selection),
            Kind::Symlink => Node::Symlink { target: self.link(at)? },
            Kind::File => {
                let (digest, size) = self.file(at, Look::of(stat))?;
                Node::File { mode, size, digest }
            }
        };
        self.entries.push(Entry { path: at.path.clone(), node });
        Ok(())
    }

    fn subdirectory(
        &mut self,
        at: &Place<'_>,
        mode: Mode,
        select: Selection,
    ) -> Result<(), TreeError> {
        let path = at.path.as_path();
        let dir =
            directory::open(at.dir, at.name).map_err(|error| self.failure("open", path, error))?;
        let before = self.entries.len();
        self.entries.push(Entry { path: at.path.clone(), node: Node::Directory { mode } });
        self.directory(&dir, path)?;
        if select == Selection::Enter && self.entries.len() == before + 1 {
            self.entries.pop();
        }
        Ok(())
    }

    fn link(&self, at: &Place<'_>) -> Result<OsString, TreeError> {
        let target = rustix::fs::readlinkat(at.dir, at.name, Vec::new())
            .map_err(|error| self.failure("read", at.path.as_path(), error))?;
        Ok(OsString::from_vec(target.into_bytes()))
    }

    fn file(&mut self, at: &Place<'_>, look: Look) -> Result<(Digest, u64), TreeError> {
        let path = at.path.as_path();
        let known = self.cache.find(path, &look);
        if let Some(digest) = known.filter(|digest| self.blobs.size(digest) == Some(look.size())) {
            return Ok((digest, look.size()));
        }
        for _ in 0..READS_MAX {
            if let Some((digest, look)) = self.read(at)? {
                self.files_read += 1;
                self.cache.remember(path, look, digest, self.now);
                return Ok((digest, look.size()));
            }
        }
        Err(TreeError::Changing(self.root.join(path)))
    }

    /// Stores a file; `None` if it changed meanwhile.
    fn read(&self, at: &Place<'_>) -> Result<Option<(Digest, Look)>, TreeError> {
        let failure = |error: Errno| self.failure("read", at.path.as_path(), error);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(at.dir, at.name, flags, rustix::fs::Mode::empty());
        let mut file = File::from(file.map_err(failure)?);
        let before = Look::of(&rustix::fs::fstat(&file).map_err(failure)?);
        let mut writer = BlobWriter::new(self.blobs.clone(), Durability::Deferred)?;
        let copied = writer.copy_from(&mut file);
        let size = copied.map_err(|e| TreeError::io("copy", &self.root.join(&at.path), e))?;
        let after = Look::of(&rustix::fs::fstat(&file).map_err(failure)?);
        if before != after || size != after.size() {
            return Ok(None);
        }
        Ok(Some((writer.finish()?, after)))
    }

    fn mode(&self, stat: &Stat, kind: Kind) -> Mode {
        let mode = Mode::of(stat.st_mode);
        match (self.rules.modes, kind) {
            (Modes::Exact, _) => mode,
            (Modes::Source, Kind::Directory) => Mode::EXECUTABLE,
            (Modes::Source, Kind::File | Kind::Symlink) => mode.normal(),
        }
    }

    fn failure(&self, action: &'static str, path: &Path, error: Errno) -> TreeError {
        TreeError::io(action, &self.root.join(path), error)
    }
}

fn kind(stat: &Stat) -> Option<Kind> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Some(Kind::Directory),
        FileType::RegularFile => Some(Kind::File),
        FileType::Symlink => Some(Kind::Symlink),
        _ => None,
    }
}
