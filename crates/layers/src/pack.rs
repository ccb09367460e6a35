//! A directory as a tar. The same directory always gives the same bytes: entries are sorted, owners
//! are numbers, times are whole seconds, and of extended attributes only those that mean something in
//! an image are written.

use crate::{error::LayerError, overlay};
use rustix::{fs::Dev, io::Errno};
use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};
use tar::{Builder, EntryType, Header};

/// Longest list of names of extended attributes, and longest value (`xattr(7)`).
const ATTRIBUTE_MAX: usize = 64 << 10;

/// Writes the tar of a directory in the form of an overlay's upper directory. Nothing may change in
/// it meanwhile.
pub(crate) fn pack(root: &Path, out: impl Write) -> Result<(), LayerError> {
    let mut packer = Packer { root, tar: Builder::new(out), links: HashMap::new() };
    packer.directory(Path::new(""))?;
    let finished = packer.tar.finish();
    finished.map_err(|error| LayerError::io("write the tar of", root, error))
}

struct Packer<'a, W: Write> {
    root: &'a Path,
    tar: Builder<W>,
    /// Where a file with several names was first met.
    links: HashMap<(u64, u64), PathBuf>,
}

impl<W: Write> Packer<'_, W> {
    fn directory(&mut self, path: &Path) -> Result<(), LayerError> {
        let full = self.root.join(path);
        let opaque = overlay::is_opaque(&full).map_err(|e| LayerError::io("read", &full, e))?;
        if opaque {
            self.marker(&path.join(OsStr::from_bytes(overlay::OPAQUE)))?;
        }
        for name in names(&full).map_err(|error| LayerError::io("read", &full, error))? {
            self.entry(&path.join(name))?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path) -> Result<(), LayerError> {
        let full = self.root.join(path);
        let failure = |error: io::Error| LayerError::io("pack", &full, error);
        let metadata = fs::symlink_metadata(&full).map_err(failure)?;
        if is_whiteout(&metadata) {
            return self.marker(&whiteout_of(path));
        }
        if let Some(first) = self.first_name(path, &metadata) {
            return self.hard_link(path, &first, &metadata).map_err(failure);
        }
        self.attributes(&full).map_err(failure)?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            if overlay::is_redirect(&full).map_err(|e| failure(e.into()))? {
                return Err(LayerError::Entry {
                    path: path.display().to_string(),
                    because: "is a directory that overlayfs keeps as a rename",
                });
            }
            self.plain(path, &metadata, EntryType::Directory).map_err(failure)?;
            self.directory(path)
        } else if kind.is_file() {
            self.file(path, &full, &metadata).map_err(failure)
        } else if kind.is_symlink() {
            let target = fs::read_link(&full).map_err(failure)?;
            self.link(path, &target, &metadata, EntryType::Symlink).map_err(failure)
        } else {
            self.special(path, &metadata).map_err(failure)
        }
    }

    fn first_name(&mut self, path: &Path, metadata: &Metadata) -> Option<PathBuf> {
        if metadata.is_dir() || metadata.nlink() < 2 {
            return None;
        }
        let inode = (metadata.dev(), metadata.ino());
        let first = self.links.get(&inode).cloned();
        if first.is_none() {
            self.links.insert(inode, path.to_owned());
        }
        first
    }

    fn file(&mut self, path: &Path, full: &Path, metadata: &Metadata) -> io::Result<()> {
        let mut header = header(metadata, EntryType::Regular);
        header.set_size(metadata.len());
        self.set_path(&mut header, path)?;
        let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(no_follow).open(full)?;
        self.tar.append(&header, ExactLength { file, left: metadata.len() })
    }

    /// An empty file that says something is gone.
    fn marker(&mut self, path: &Path) -> Result<(), LayerError> {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_size(0);
        let written = self.set_path(&mut header, path);
        written
            .and_then(|()| self.tar.append(&header, io::empty()))
            .map_err(|error| LayerError::io("pack", &self.root.join(path), error))
    }

    fn plain(&mut self, path: &Path, metadata: &Metadata, kind: EntryType) -> io::Result<()> {
        let mut header = header(metadata, kind);
        let mut path = path.as_os_str().to_owned();
        if kind == EntryType::Directory {
            path.push("/");
        }
        self.set_path(&mut header, Path::new(&path))?;
        self.tar.append(&header, io::empty())
    }

    fn special(&mut self, path: &Path, metadata: &Metadata) -> io::Result<()> {
        let kind = metadata.file_type();
        let kind = if kind.is_fifo() {
            EntryType::Fifo
        } else if kind.is_char_device() {
            EntryType::Char
        } else if kind.is_block_device() {
            EntryType::Block
        } else {
            // A socket is nothing without the process that made it; tar has no word for it.
            return Ok(());
        };
        let mut header = header(metadata, kind);
        if kind != EntryType::Fifo {
            let device: Dev = metadata.rdev();
            header.set_device_major(rustix::fs::major(device))?;
            header.set_device_minor(rustix::fs::minor(device))?;
        }
        self.set_path(&mut header, path)?;
        self.tar.append(&header, io::empty())
    }

    fn hard_link(&mut self, path: &Path, first: &Path, metadata: &Metadata) -> io::Result<()> {
        self.link(path, first, metadata, EntryType::Link)
    }

    fn link(
        &mut self,
        path: &Path,
        target: &Path,
        metadata: &Metadata,
        kind: EntryType,
    ) -> io::Result<()> {
        let mut header = header(metadata, kind);
        let target = target.as_os_str().as_bytes();
        if header.set_link_name_literal(target).is_err() {
            self.tar.append_pax_extensions([("linkpath", target)])?;
        }
        self.set_path(&mut header, path)?;
        self.tar.append(&header, io::empty())
    }

    /// Gives a header its path; one that is too long for it comes in an entry before it.
    fn set_path(&mut self, header: &mut Header, path: &Path) -> io::Result<()> {
        if header.set_path(path).is_err() {
            let bytes = path.as_os_str().as_bytes();
            self.tar.append_pax_extensions([("path", bytes)])?;
            header.set_path("long-path")?;
        }
        header.set_cksum();
        Ok(())
    }

    fn attributes(&mut self, full: &Path) -> io::Result<()> {
        let kept = attributes(full)?;
        if kept.is_empty() {
            return Ok(());
        }
        let fields = kept.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        self.tar.append_pax_extensions(fields)
    }
}

/// Reads as many bytes as were promised; an early end is an error, not a shorter entry.
struct ExactLength {
    file: File,
    left: u64,
}

impl io::Read for ExactLength {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(&mut buffer[..most])?;
        if read == 0 && most > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

fn header(metadata: &Metadata, kind: EntryType) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(metadata.mode() & 0o7777);
    header.set_uid(metadata.uid().into());
    header.set_gid(metadata.gid().into());
    header.set_mtime(u64::try_from(metadata.mtime()).unwrap_or(0));
    header.set_size(0);
    header
}

fn is_whiteout(metadata: &Metadata) -> bool {
    metadata.file_type().is_char_device() && metadata.rdev() == 0
}

fn whiteout_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(OsStr::from_bytes(overlay::WHITEOUT));
    name.push(path.file_name().expect("an entry has a name"));
    path.with_file_name(name)
}

fn names(dir: &Path) -> io::Result<Vec<OsString>> {
    let names: io::Result<Vec<_>> =
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name())).collect();
    let mut names = names?;
    names.sort_unstable();
    Ok(names)
}

/// The attributes that belong to an image, under their names in a tar, sorted.
fn attributes(path: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut list = [0_u8; 1024];
    let mut long = Vec::new();
    let list = match rustix::fs::llistxattr(path, &mut list[..]) {
        Ok(length) => &list[..length],
        Err(Errno::RANGE) => {
            long.resize(ATTRIBUTE_MAX, 0);
            let length = rustix::fs::llistxattr(path, &mut long[..])?;
            &long[..length]
        }
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut kept = Vec::new();
    for name in list.split(|&byte| byte == 0).filter_map(|name| str::from_utf8(name).ok()) {
        if is_kept(name) {
            let mut value = vec![0; ATTRIBUTE_MAX];
            let length = rustix::fs::lgetxattr(path, name, &mut value[..])?;
            value.truncate(length);
            kept.push((format!("SCHILY.xattr.{name}"), value));
        }
    }
    kept.sort();
    Ok(kept)
}

/// Whether an extended attribute belongs to an image.
pub(crate) fn is_kept(name: &str) -> bool {
    name == "security.capability" || name.starts_with("user.")
}
