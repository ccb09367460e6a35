//! Writes single entries of an archive below a directory.

use crate::{
    error::LayerError,
    overlay::{OPAQUE, OPAQUE_ATTRIBUTE, WHITEOUT, WHITEOUT_META},
    pack::is_kept,
    unpack::Place,
};
use rustix::{
    fs::{
        AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Timespec, Timestamps, Uid, XattrFlags,
    },
    io::Errno,
};
use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};
use tar::{Entry, EntryType};

const NO_FOLLOW: AtFlags = AtFlags::SYMLINK_NOFOLLOW;

/// The directory an archive is unpacked into.
pub(crate) struct Destination<'a> {
    root: OwnedFd,
    shown: &'a Path,
    /// The directory last written to; archives list a directory's entries together.
    last: Option<(Vec<OsString>, OwnedFd)>,
    /// Directories get their times when nothing more is written to them.
    times: Vec<(PathBuf, Timestamps)>,
}

/// What every entry has.
struct Attributes {
    owner: Uid,
    group: Gid,
    mode: Mode,
    times: Timestamps,
    extended: Vec<(String, Vec<u8>)>,
}

impl<'a> Destination<'a> {
    pub(crate) fn new(root: OwnedFd, shown: &'a Path) -> Self {
        Self { root, shown, last: None, times: Vec::new() }
    }

    /// Writes what an entry of this name says is gone; false if it is an ordinary name.
    pub(crate) fn whiteout(&mut self, place: &Place) -> Result<bool, LayerError> {
        let name = place.name.as_bytes();
        if name == OPAQUE {
            let dir = self.directory(&place.above)?;
            // An `O_PATH` handle has no attributes; a new one of the same directory has.
            let opened = rustix::fs::openat(dir, ".", OFlags::RDONLY, Mode::empty());
            let made = opened.and_then(|dir| {
                rustix::fs::fsetxattr(dir, OPAQUE_ATTRIBUTE, b"y", XattrFlags::empty())
            });
            return made.map(|()| true).map_err(|error| self.failure(place, error));
        }
        let Some(gone) = name.strip_prefix(WHITEOUT) else { return Ok(false) };
        if name.starts_with(WHITEOUT_META) {
            return Ok(true);
        }
        if matches!(gone, b"" | b"." | b"..") {
            return Err(refuse(place, "says that nothing is gone"));
        }
        let place = Place { above: place.above.clone(), name: OsStr::from_bytes(gone).to_owned() };
        self.clear(&place)?;
        let dir = self.directory(&place.above)?;
        rustix::fs::mknodat(dir, &place.name, FileType::CharacterDevice, Mode::empty(), 0)
            .map_err(|error| self.failure(&place, error))?;
        Ok(true)
    }

    /// Writes one entry.
    pub(crate) fn write(
        &mut self,
        place: &Place,
        entry: &mut Entry<'_, impl Read>,
    ) -> Result<(), LayerError> {
        let attributes = Attributes::of(entry).map_err(|error| self.damaged(place, error))?;
        match entry.header().entry_type() {
            EntryType::Directory => self.make_directory(place, &attributes),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                self.file(place, entry, &attributes)
            }
            EntryType::Symlink => {
                let target = link_target(place, entry)?;
                self.special(place, &attributes, |dir| {
                    rustix::fs::symlinkat(OsStr::from_bytes(&target), dir, &place.name)
                })
            }
            EntryType::Link => self.hard_link(place, &link_target(place, entry)?),
            kind @ (EntryType::Char | EntryType::Block | EntryType::Fifo) => {
                let device = self.device(place, entry, kind)?;
                let kind = file_type(kind);
                self.special(place, &attributes, |dir| {
                    rustix::fs::mknodat(dir, &place.name, kind, attributes.mode, device)?;
                    rustix::fs::chmodat(dir, &place.name, attributes.mode, AtFlags::empty())
                })
            }
            _ => Err(refuse(place, "is of a kind that is not unpacked")),
        }
    }

    /// Gives directories their times.
    pub(crate) fn finish(self) -> Result<(), LayerError> {
        for (path, times) in self.times.iter().rev() {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
            rustix::fs::openat2(&self.root, path, flags, Mode::empty(), resolve)
                .and_then(|dir| rustix::fs::futimens(dir, times))
                .map_err(|error| {
                    LayerError::io("set the time of", &self.shown.join(path), error)
                })?;
        }
        Ok(())
    }

    fn make_directory(&mut self, place: &Place, new: &Attributes) -> Result<(), LayerError> {
        let is_there = self.look(place)?.is_some_and(|found| found == FileType::Directory);
        if !is_there {
            self.clear(place)?;
        }
        let dir = self.directory(&place.above)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = match rustix::fs::mkdirat(dir, &place.name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {
                rustix::fs::openat(dir, &place.name, flags, Mode::empty())
            }
            Err(error) => Err(error),
        };
        let made = made.and_then(|dir| new.apply(&dir));
        made.map_err(|error| self.failure(place, error))?;
        let path: PathBuf = place.above.iter().chain([&place.name]).collect();
        self.times.push((path, new.times.clone()));
        Ok(())
    }

    fn file(
        &mut self,
        place: &Place,
        entry: &mut Entry<'_, impl Read>,
        new: &Attributes,
    ) -> Result<(), LayerError> {
        self.clear(place)?;
        let dir = self.directory(&place.above)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(dir, &place.name, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|error| self.failure(place, error))?;
        let mut file = File::from(file);
        io::copy(entry, &mut file).map_err(|error| self.damaged(place, error))?;
        let done = new.apply(&file).and_then(|()| rustix::fs::futimens(&file, &new.times));
        done.map_err(|error| self.failure(place, error))
    }

    fn special(
        &mut self,
        place: &Place,
        new: &Attributes,
        make: impl Fn(&OwnedFd) -> Result<(), Errno>,
    ) -> Result<(), LayerError> {
        self.clear(place)?;
        let dir = self.directory(&place.above)?;
        let (owner, group) = (Some(new.owner), Some(new.group));
        let done = make(dir)
            .and_then(|()| rustix::fs::chownat(dir, &place.name, owner, group, NO_FOLLOW))
            .and_then(|()| rustix::fs::utimensat(dir, &place.name, &new.times, NO_FOLLOW));
        done.map_err(|error| self.failure(place, error))
    }

    fn hard_link(&mut self, place: &Place, target: &[u8]) -> Result<(), LayerError> {
        let from = Place::parse(target)?.ok_or_else(|| refuse(place, "is a link to the root"))?;
        if from == *place {
            return Err(refuse(place, "is a link to itself"));
        }
        self.clear(place)?;
        let source = rustix::io::dup(self.directory(&from.above)?)
            .map_err(|error| self.failure(&from, error))?;
        let dir = self.directory(&place.above)?;
        rustix::fs::linkat(source, &from.name, dir, &place.name, AtFlags::empty())
            .map_err(|error| self.failure(place, error))
    }

    fn device(
        &self,
        place: &Place,
        entry: &Entry<'_, impl Read>,
        kind: EntryType,
    ) -> Result<u64, LayerError> {
        if kind == EntryType::Fifo {
            return Ok(0);
        }
        let number = |part: io::Result<Option<u32>>| -> Result<u32, LayerError> {
            Ok(part.map_err(|error| self.damaged(place, error))?.unwrap_or(0))
        };
        let major = number(entry.header().device_major())?;
        let minor = number(entry.header().device_minor())?;
        if (major, minor) == (0, 0) {
            return Err(refuse(place, "is a device that does not exist"));
        }
        Ok(rustix::fs::makedev(major, minor))
    }

    /// Removes what is in the way, unless it is a directory.
    fn clear(&mut self, place: &Place) -> Result<(), LayerError> {
        match self.look(place)? {
            None => Ok(()),
            Some(FileType::Directory) => Err(refuse(place, "is there as a directory too")),
            Some(_) => {
                let dir = self.directory(&place.above)?;
                let removed = rustix::fs::unlinkat(dir, &place.name, AtFlags::empty());
                self.last = None;
                removed.map_err(|error| self.failure(place, error))
            }
        }
    }

    fn look(&mut self, place: &Place) -> Result<Option<FileType>, LayerError> {
        let dir = self.directory(&place.above)?;
        match rustix::fs::statat(dir, &place.name, NO_FOLLOW) {
            Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failure(place, error)),
        }
    }

    /// The directory at a path, with links resolved as if the destination were `/`. Directories that
    /// the archive does not list are made.
    fn directory(&mut self, above: &[OsString]) -> Result<&OwnedFd, LayerError> {
        if self.last.as_ref().is_none_or(|(path, _)| path != above) {
            let dir = self.resolve(above)?;
            self.last = Some((above.to_vec(), dir));
        }
        Ok(&self.last.as_ref().expect("it was set above").1)
    }

    fn resolve(&self, above: &[OsString]) -> Result<OwnedFd, LayerError> {
        let failure =
            |path: &Path, error: Errno| LayerError::io("unpack", &self.shown.join(path), error);
        let path: PathBuf = above.iter().collect();
        match self.open(&path) {
            Err(Errno::NOENT) => {}
            found => return found.map_err(|error| failure(&path, error)),
        }
        let mut reached = PathBuf::new();
        let mut dir = self.open(&reached).map_err(|error| failure(&reached, error))?;
        for name in above {
            reached.push(name);
            match rustix::fs::mkdirat(&dir, name, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(failure(&reached, error)),
            }
            dir = self.open(&reached).map_err(|error| failure(&reached, error))?;
        }
        Ok(dir)
    }

    fn open(&self, path: &Path) -> Result<OwnedFd, Errno> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        rustix::fs::openat2(&self.root, path, flags, Mode::empty(), resolve)
    }

    fn failure(&self, place: &Place, error: Errno) -> LayerError {
        LayerError::io("unpack", &self.shown.join(place.shown()), error)
    }

    fn damaged(&self, place: &Place, error: io::Error) -> LayerError {
        LayerError::io("unpack", &self.shown.join(place.shown()), error)
    }
}

impl Attributes {
    fn of(entry: &mut Entry<'_, impl Read>) -> io::Result<Self> {
        let mut extended = Vec::new();
        if let Some(fields) = entry.pax_extensions()? {
            for field in fields {
                let field = field?;
                let name = field.key().ok().and_then(|key| key.strip_prefix("SCHILY.xattr."));
                if let Some(name) = name.filter(|name| is_kept(name)) {
                    extended.push((name.to_owned(), field.value_bytes().to_vec()));
                }
            }
        }
        let header = entry.header();
        let number = |id: u64| u32::try_from(id).map_err(io::Error::other);
        let seconds = i64::try_from(header.mtime()?).map_err(io::Error::other)?;
        let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
        Ok(Self {
            owner: Uid::from_raw(valid_id(number(header.uid()?)?)?),
            group: Gid::from_raw(valid_id(number(header.gid()?)?)?),
            mode: Mode::from_raw_mode(header.mode()? & 0o7777),
            times: Timestamps { last_access: time, last_modification: time },
            extended,
        })
    }

    /// Sets owner, permissions and attributes, in this order: a new owner clears the others.
    fn apply(&self, file: impl AsFd) -> Result<(), Errno> {
        rustix::fs::fchown(&file, Some(self.owner), Some(self.group))?;
        rustix::fs::fchmod(&file, self.mode)?;
        for (name, value) in &self.extended {
            rustix::fs::fsetxattr(&file, name.as_str(), value, XattrFlags::empty())?;
        }
        Ok(())
    }
}

/// The highest number means "nobody in particular" to the system.
fn valid_id(id: u32) -> io::Result<u32> {
    if id == u32::MAX { Err(io::Error::other("an owner's number is too high")) } else { Ok(id) }
}

fn link_target(place: &Place, entry: &Entry<'_, impl Read>) -> Result<Vec<u8>, LayerError> {
    let target = entry.link_name_bytes().map(Cow::into_owned);
    match target {
        Some(target) if !target.is_empty() && !target.contains(&0) => Ok(target),
        _ => Err(refuse(place, "is a link that leads nowhere")),
    }
}

fn file_type(kind: EntryType) -> FileType {
    match kind {
        EntryType::Char => FileType::CharacterDevice,
        EntryType::Block => FileType::BlockDevice,
        _ => FileType::Fifo,
    }
}

fn refuse(place: &Place, because: &'static str) -> LayerError {
    LayerError::Entry { path: place.shown(), because }
}
