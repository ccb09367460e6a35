//! Archives that ADD unpacks.

use fairway_blobs::Blobs;
use fairway_model::Digest;
use std::io::{self, Read};

/// Where a tar says that it is one (POSIX `pax`, ustar interchange format).
const USTAR: std::ops::Range<usize> = 257..262;

/// What kind of archive a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Archive {
    /// A tar as it is.
    Plain,
    /// A tar in gzip.
    Gzip,
    /// Another compression, by name.
    Other(&'static str),
}

/// Looks at the first bytes of a file.
pub(crate) fn kind(blobs: &Blobs, digest: &Digest) -> io::Result<Option<Archive>> {
    let mut head = Vec::new();
    blobs.open_blob(digest).map_err(io::Error::other)?.take(512).read_to_end(&mut head)?;
    Ok(match head.as_slice() {
        [0x1f, 0x8b, ..] => Some(Archive::Gzip),
        [b'B', b'Z', b'h', ..] => Some(Archive::Other("bzip2")),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Some(Archive::Other("xz")),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Archive::Other("zstd")),
        head if head.get(USTAR) == Some(b"ustar") => Some(Archive::Plain),
        _ => None,
    })
}
