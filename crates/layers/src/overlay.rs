//! How overlayfs writes down that something below is gone, and how an OCI layer does (OCI image
//! spec, "Image Layer Filesystem Changeset", section "Whiteouts"; the kernel's `overlayfs.rst`).

use rustix::io::Errno;
use std::path::Path;

/// Before the name of what is gone.
pub(crate) const WHITEOUT: &[u8] = b".wh.";
/// A file in a directory that hides all below it.
pub(crate) const OPAQUE: &[u8] = b".wh..wh..opq";
/// Before names that mean something to another union file system only.
pub(crate) const WHITEOUT_META: &[u8] = b".wh..wh.";

/// The attribute of a directory that hides all below it.
pub(crate) const OPAQUE_ATTRIBUTE: &str = "trusted.overlay.opaque";
const REDIRECT_ATTRIBUTE: &str = "trusted.overlay.redirect";

/// Whether a directory hides all below it.
pub(crate) fn is_opaque(dir: &Path) -> Result<bool, Errno> {
    let mut value = [0; 8];
    match rustix::fs::lgetxattr(dir, OPAQUE_ATTRIBUTE, &mut value[..]) {
        Ok(length) => Ok(&value[..length] == b"y"),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a directory was renamed in a mount that keeps renames as links, which no tar can say.
pub(crate) fn is_redirect(dir: &Path) -> Result<bool, Errno> {
    let mut value = [0; 0];
    match rustix::fs::lgetxattr(dir, REDIRECT_ATTRIBUTE, &mut value[..]) {
        Ok(_) => Ok(true),
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error),
    }
}
