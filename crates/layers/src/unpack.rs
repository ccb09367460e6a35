//! A tar as a directory. Archives are not trusted: every path is resolved by the kernel with the
//! destination as its root (`openat2` with `RESOLVE_IN_ROOT`), so neither `..` nor a link leads
//! outside.

use crate::{error::LayerError, unpack_entry::Destination};
use rustix::fs::{Mode, OFlags};
use std::{
    ffi::{OsStr, OsString},
    io::Read,
    os::unix::ffi::OsStrExt,
    path::Path,
};
use tar::{Archive, Entry, EntryType};

/// Most entries of an archive.
pub const ENTRIES_MAX: u64 = 2_000_000;
/// Most bytes of all files of an archive.
pub const UNPACKED_MAX: u64 = 64 << 30;
/// Longest path in bytes.
const PATH_MAX: usize = 4096;
/// Most components of a path.
const DEPTH_MAX: usize = 256;

/// What the names with which a layer says that something is gone mean in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whiteouts {
    /// They become what overlayfs understands.
    Overlay,
    /// They are names like any other.
    Ignored,
}

/// Unpacks a tar into a directory, with owners, permissions, times and attributes. A file in the way
/// of an entry is replaced, a directory in the way is an error.
pub fn unpack(tar: impl Read, root: &Path, whiteouts: Whiteouts) -> Result<(), LayerError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = rustix::fs::open(root, flags, Mode::empty())
        .map_err(|error| LayerError::io("open", root, error))?;
    let mut destination = Destination::new(dir, root);
    let mut archive = Archive::new(tar);
    let damaged = |error| LayerError::io("read the archive for", root, error);
    let (mut entries, mut bytes) = (0, 0_u64);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        entries += 1;
        bytes = bytes.saturating_add(entry.size());
        if entries > ENTRIES_MAX {
            return Err(LayerError::TooLarge { limit: ENTRIES_MAX, what: "entries" });
        }
        if bytes > UNPACKED_MAX {
            return Err(LayerError::TooLarge { limit: UNPACKED_MAX, what: "bytes" });
        }
        unpack_entry(&mut destination, &mut entry, whiteouts)?;
    }
    destination.finish()
}

fn unpack_entry(
    destination: &mut Destination<'_>,
    entry: &mut Entry<'_, impl Read>,
    whiteouts: Whiteouts,
) -> Result<(), LayerError> {
    if entry.header().entry_type() == EntryType::XGlobalHeader {
        return Ok(());
    }
    let Some(place) = Place::parse(&entry.path_bytes())? else { return Ok(()) };
    if whiteouts == Whiteouts::Overlay && destination.whiteout(&place)? {
        return Ok(());
    }
    destination.write(&place, entry)
}

/// A path of an archive, relative to its root and without `..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The directories above, from the root down.
    pub(crate) above: Vec<OsString>,
    /// The last component.
    pub(crate) name: OsString,
}

impl Place {
    /// Reads a path; `None` for the root itself.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Self>, LayerError> {
        let refuse = |because| LayerError::Entry {
            path: bytes.iter().take(200).flat_map(|b| b.escape_ascii()).map(char::from).collect(),
            because,
        };
        if bytes.len() > PATH_MAX || bytes.contains(&0) {
            return Err(refuse("has a path that is too long or has a NUL byte"));
        }
        let mut components = Vec::new();
        for component in bytes.split(|&byte| byte == b'/') {
            match component {
                b"" | b"." => {}
                b".." => return Err(refuse("leads out of the archive")),
                name => components.push(OsStr::from_bytes(name).to_owned()),
            }
        }
        if components.len() > DEPTH_MAX {
            return Err(refuse("is too deep"));
        }
        Ok(components.pop().map(|name| Self { above: components, name }))
    }

    /// As it is shown in messages.
    pub(crate) fn shown(&self) -> String {
        let parts = self.above.iter().chain([&self.name]);
        parts.map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_loses_what_does_not_matter_and_never_leads_out() {
        let place = Place::parse(b"/./a//b/").unwrap().unwrap();
        assert_eq!(place.shown(), "a/b");
        assert_eq!(Place::parse(b"./").unwrap(), None);
        for bad in [&b"a/../b"[..], b"..", b"a\0", &[b'a'; 5000], &b"a/".repeat(300)] {
            assert!(Place::parse(bad).is_err());
        }
    }
}
