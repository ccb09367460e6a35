//! How each base is made, with the content of its build context.

use crate::{build::clean, error::BuildError};
use fairway_blobs::{Blobs, Tree, TreePath};
use fairway_model::{ImageRef, TreeDigest, config::Base};
use std::{collections::BTreeMap, path::Path};

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
        /// The folder's path, for messages.
        folder: String,
        /// The folder.
        context: TreeDigest,
    },
}

impl Bases {
    /// The bases of a fleet whose sources are in this tree, with `fleet.yaml` at its root. A folder
    /// that is not there is an error when its base is needed.
    pub fn of_fleet(
        bases: &BTreeMap<ImageRef, Base>,
        sources: &Tree,
        blobs: &Blobs,
    ) -> Result<Self, BuildError> {
        let source = |base: &Base| -> Result<BaseSource, BuildError> {
            match base {
                Base::Debian { suite, packages } => {
                    Ok(BaseSource::Debian { suite: suite.clone(), packages: packages.clone() })
                }
                Base::Dockerfile { context } => {
                    let folder = clean(Path::new(context));
                    let tree = match TreePath::new(&folder) {
                        Ok(path) => sources.below(&path),
                        Err(_) => sources.clone(),
                    };
                    let folder = folder.to_string_lossy().into_owned();
                    Ok(BaseSource::Dockerfile { folder, context: tree.store(blobs)? })
                }
            }
        };
        let all = bases.iter().map(|(name, base)| Ok((name.clone(), source(base)?)));
        all.collect::<Result<_, BuildError>>().map(Self)
    }
}
