//! Directories that appear whole, and copies of directories with owners, modes and links.

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, Uid, chmodat, chownat, mknodat};
use std::{
    fs, io,
    os::unix::fs::{MetadataExt, symlink},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

/// Makes a directory so that it appears whole or not at all, also when several do so at once: then
/// the first one stays.
pub(crate) fn make_whole<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let fresh = path.with_file_name(format!(".{name}-{}-{}", std::process::id(), next()));
    fs::create_dir_all(&fresh)?;
    fill(&fresh)?;
    match fs::rename(&fresh, path) {
        Err(_) if path.is_dir() => fs::remove_dir_all(&fresh)?,
        renamed => renamed?,
    }
    Ok(())
}

/// Tells apart what one process makes at once.
fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Copies what is in one directory into another that exists, with owners and modes; both
/// directories' own owner and mode too. Links are copied as links.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            fs::create_dir(&target)?;
            copy_tree(&entry.path(), &target)?;
            continue;
        }
        if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        } else {
            copy_node(&entry.path(), &target)?;
        }
        copy_owner(&entry.path(), &target)?;
    }
    let metadata = fs::metadata(from)?;
    set_owner(to, &metadata)?;
    fs::set_permissions(to, metadata.permissions())
}

fn copy_node(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(from)?;
    let mode = metadata.mode();
    mknodat(CWD, to, FileType::from_raw_mode(mode), Mode::from_raw_mode(mode), metadata.rdev())?;
    Ok(())
}

fn copy_owner(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(from)?;
    set_owner(to, &metadata)?;
    if metadata.is_symlink() {
        return Ok(());
    }
    // A change of owner clears the bits for running as the owner.
    Ok(chmodat(CWD, to, Mode::from_raw_mode(metadata.mode()), AtFlags::empty())?)
}

fn set_owner(path: &Path, metadata: &fs::Metadata) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(metadata.uid()), Gid::from_raw(metadata.gid()));
    Ok(chownat(CWD, path, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn owners_modes_and_links_are_copied() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("a")).unwrap();
        fs::create_dir(&to).unwrap();
        fs::write(from.join("a/file"), "text").unwrap();
        fs::set_permissions(from.join("a/file"), fs::Permissions::from_mode(0o4750)).unwrap();
        symlink("nowhere", from.join("link")).unwrap();
        copy_tree(&from, &to).unwrap();
        assert_eq!(fs::metadata(to.join("a/file")).unwrap().mode() & 0o7777, 0o4750);
        assert_eq!(fs::read_to_string(to.join("a/file")).unwrap(), "text");
        assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("nowhere"));
    }
}
