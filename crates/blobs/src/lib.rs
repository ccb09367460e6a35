//! Content-addressed bytes in a directory, and file trees that are named by one digest.
//!
//! A blob is a file named by its SHA-256 digest. It appears whole or not at all: bytes go to an
//! unnamed file that is linked into place when complete, so neither a full disk nor `kill -9`
//! leaves a part of one behind. A tree is a blob too: a sorted manifest of relative paths that
//! refers to the blobs of its files. All calls block.

mod capture;
mod codec;
mod directory;
mod entry;
mod error;
mod manifest;
mod materialize;
mod stat_cache;
mod store;
mod tree;
mod tree_path;
mod writer;

pub use capture::{CaptureRules, Captured, Kind, Modes, Selection, capture};
pub use entry::{Entry, Mode, Node};
pub use error::{BlobError, TreeError};
pub use manifest::{ENTRIES_MAX, MANIFEST_MAX};
pub use materialize::materialize;
pub use stat_cache::{KNOWN_FILES_MAX, StatCache};
pub use store::Blobs;
pub use tree::Tree;
pub use tree_path::{COMPONENT_MAX, DEPTH_MAX, PATH_MAX, PathError, TreePath};
pub use writer::BlobWriter;
