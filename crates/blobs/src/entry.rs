//! One entry of a file tree.

use crate::tree_path::TreePath;
use fairway_model::Digest;
use std::{ffi::OsString, fmt};

/// One path of a tree and what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where, relative to the root of the tree.
    pub path: TreePath,
    /// What.
    pub node: Node,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A directory.
    Directory {
        /// Its permissions.
        mode: Mode,
    },
    /// A file.
    File {
        /// Its permissions.
        mode: Mode,
        /// Its number of bytes.
        size: u64,
        /// The blob with its bytes.
        digest: Digest,
    },
    /// A symbolic link. It may lead anywhere; nothing is ever written through it.
    Symlink {
        /// The text of the link.
        target: OsString,
    },
}

/// The permission bits of a file or directory (`0o777` at most).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mode(u16);

impl Mode {
    /// `rw-r--r--`, an ordinary file.
    pub const FILE: Mode = Mode(0o644);
    /// `rwxr-xr-x`, an executable file or a directory.
    pub const EXECUTABLE: Mode = Mode(0o755);

    /// Takes the permission bits of a raw mode and drops the others.
    pub fn of(raw: u32) -> Self {
        Self((raw & 0o777) as u16)
    }

    /// The bits as the system takes them.
    pub fn bits(self) -> u32 {
        self.0.into()
    }

    /// Reduces to what version control keeps: whether the owner may execute it.
    #[must_use]
    pub fn normal(self) -> Self {
        if self.0 & 0o100 == 0 { Self::FILE } else { Self::EXECUTABLE }
    }
}

impl fmt::Debug for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#o}", self.0)
    }
}
