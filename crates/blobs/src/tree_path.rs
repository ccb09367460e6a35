//! The only paths that a file tree holds: relative, plain and bounded.

use std::{
    cmp::Ordering,
    ffi::OsStr,
    fmt,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Longest path in bytes.
pub const PATH_MAX: usize = 4096;
/// Longest component of a path in bytes.
pub const COMPONENT_MAX: usize = 255;
/// Most components of a path.
pub const DEPTH_MAX: usize = 128;

/// Which rule a path breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path is empty.
    #[error("it is empty")]
    Empty,
    /// The path is absolute, or has an empty, `.` or `..` component.
    #[error("it is absolute or has an empty, `.` or `..` component")]
    NotPlain,
    /// A NUL byte.
    #[error("it has a NUL byte")]
    Nul,
    /// More than [`PATH_MAX`] bytes, [`COMPONENT_MAX`] in a component, or [`DEPTH_MAX`] components.
    #[error(
        "it has more than {PATH_MAX} bytes, {COMPONENT_MAX} in a component, or {DEPTH_MAX} components"
    )]
    TooLong,
}

/// A path relative to the root of a tree. Ordered by components, so that a directory comes right
/// before all that is in it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TreePath(Box<[u8]>);

impl TreePath {
    /// Checks a relative path, such as `src/main.rs`. A `.` or `./` in front is not accepted.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, PathError> {
        let bytes = path.as_ref().as_os_str().as_bytes();
        check(bytes)?;
        Ok(Self(bytes.into()))
    }

    /// The path for the file system.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// The bytes of the path.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The last component.
    pub fn name(&self) -> &OsStr {
        OsStr::from_bytes(self.components().next_back().expect("a tree path is not empty"))
    }

    /// The directory above; none right below the root.
    pub fn parent(&self) -> Option<TreePath> {
        self.parent_bytes().map(|bytes| Self(bytes.into()))
    }

    pub(crate) fn parent_bytes(&self) -> Option<&[u8]> {
        let slash = self.0.iter().rposition(|&byte| byte == b'/')?;
        Some(&self.0[..slash])
    }

    /// This path inside a directory.
    pub fn inside(&self, directory: &TreePath) -> Result<TreePath, PathError> {
        Self::new(directory.as_path().join(self.as_path()))
    }

    /// The components from the root down.
    pub(crate) fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&byte| byte == b'/')
    }
}

fn check(bytes: &[u8]) -> Result<(), PathError> {
    if bytes.is_empty() {
        return Err(PathError::Empty);
    }
    if bytes.contains(&0) {
        return Err(PathError::Nul);
    }
    let mut depth = 0;
    for component in bytes.split(|&byte| byte == b'/') {
        depth += 1;
        if matches!(component, b"" | b"." | b"..") {
            return Err(PathError::NotPlain);
        }
        if component.len() > COMPONENT_MAX || depth > DEPTH_MAX {
            return Err(PathError::TooLong);
        }
    }
    if bytes.len() > PATH_MAX { Err(PathError::TooLong) } else { Ok(()) }
}

impl Ord for TreePath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.components().cmp(other.components())
    }
}

impl PartialOrd for TreePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl AsRef<Path> for TreePath {
    fn as_ref(&self) -> &Path {
        self.as_path()
    }
}

impl From<TreePath> for PathBuf {
    fn from(path: TreePath) -> PathBuf {
        path.as_path().to_owned()
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_path().display().fmt(f)
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_path(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_paths_are_tree_paths() {
        for good in ["a", "a/b", ".hidden", "..a", "a b/ä"] {
            assert!(TreePath::new(good).is_ok(), "{good}");
        }
        let deep = vec!["a"; DEPTH_MAX + 1].join("/");
        let long = "a".repeat(COMPONENT_MAX + 1);
        let bad = ["", "/", "/a", "a/", "a//b", ".", "./a", "..", "a/../b", "a\0b", &deep, &long];
        for bad in bad {
            assert!(TreePath::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_directory_comes_right_before_what_is_in_it() {
        let mut paths = ["a-b", "a/b", "b", "a", "a/b/c", "a.b"].map(|p| TreePath::new(p).unwrap());
        paths.sort();
        let sorted = paths.map(|path| path.to_string());
        assert_eq!(sorted, ["a", "a/b", "a/b/c", "a-b", "a.b", "b"]);
    }
}
