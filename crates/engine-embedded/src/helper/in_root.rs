//! The file system of a container seen from outside: links in it cannot lead out of it.

use rustix::{
    fs::{CWD, Mode, OFlags, ResolveFlags, mkdirat, openat, openat2},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, Read},
    os::fd::{AsRawFd, OwnedFd},
    path::{Component, Path, PathBuf},
};

/// An open directory that paths are resolved in as if it were `/`.
pub(crate) struct InRoot(OwnedFd);

impl InRoot {
    /// Opens the directory.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(openat(CWD, root, flags, Mode::empty())?))
    }

    /// Opens a path in it; links are followed inside.
    pub(crate) fn at(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let relative = path.strip_prefix("/").unwrap_or(path);
        let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
        let flags = flags | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        Ok(openat2(&self.0, relative, flags, Mode::empty(), resolve)?)
    }

    /// Reads a small text file; one that does not exist is empty.
    pub(crate) fn text(&self, path: &str, limit: u64) -> io::Result<String> {
        let file = match self.at(Path::new(path), OFlags::RDONLY | OFlags::NONBLOCK) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            opened => File::from(opened?),
        };
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Makes a directory with all above it, and opens it. Says whether it was there before.
    pub(crate) fn make_directory(&self, path: &Path) -> io::Result<(OwnedFd, Existed)> {
        let directory = OFlags::PATH | OFlags::DIRECTORY;
        let mut current = self.at(Path::new("/"), directory)?;
        let mut existed = Existed::Yes;
        let mut reached = PathBuf::from("/");
        for component in path.components() {
            let Component::Normal(name) = component else { continue };
            reached.push(name);
            current = match self.at(&reached, directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    existed = Existed::No;
                    match mkdirat(&current, name, Mode::from_raw_mode(0o755)) {
                        Ok(()) | Err(Errno::EXIST) => self.at(&reached, directory)?,
                        Err(error) => return Err(error.into()),
                    }
                }
                opened => opened?,
            };
        }
        Ok((current, existed))
    }
}

/// Whether something was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existed {
    Yes,
    No,
}

/// A path by which this process can name something it has opened.
pub(crate) fn path_of(opened: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", opened.as_raw_fd()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn a_link_cannot_lead_out() {
        let dir = tempfile::tempdir().unwrap();
        let (outside, root) = (dir.path().join("outside"), dir.path().join("root"));
        fs::create_dir_all(&outside).unwrap();
        fs::create_dir_all(&root).unwrap();
        fs::write(outside.join("secret"), "x").unwrap();
        symlink(&outside, root.join("absolute")).unwrap();
        symlink("../../outside", root.join("relative")).unwrap();
        let inside = InRoot::open(&root).unwrap();
        for link in ["/absolute/secret", "/relative/secret", "/../outside/secret"] {
            assert_eq!(inside.text(link, 10).unwrap(), "", "{link}");
        }
    }

    #[test]
    fn directories_are_made_behind_links_that_stay_inside() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("real")).unwrap();
        symlink("/real", dir.path().join("link")).unwrap();
        let inside = InRoot::open(dir.path()).unwrap();
        assert_eq!(inside.make_directory(Path::new("/link/a/b")).unwrap().1, Existed::No);
        assert_eq!(inside.make_directory(Path::new("/real/a/b")).unwrap().1, Existed::Yes);
        assert!(dir.path().join("real/a/b").is_dir());
    }
}
