//! How each base is made, with the content of its build context.

use fairway_model::{ImageRef, TreeDigest};
use std::collections::BTreeMap;

/// The bases of a fleet by the names under which they are used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bases(pub BTreeMap<ImageRef, BaseSource>);

/// What a base is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaseSource {
    /// The packages of a Debian suite.
    Debian {
        /// `bookworm`.
        suite: String,
        /// Packages beyond the minimal set.
        packages: Vec<String>,
    },
    /// A folder with a `Dockerfile`.
    Dockerfile {
        /// The folder.
        context: TreeDigest,
    },
}
