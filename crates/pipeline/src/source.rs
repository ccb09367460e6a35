//! Takes the inputs of a service into the blob store as one tree.
//!
//! The tree's root is the deepest folder that holds the service and all its inputs, so that paths
//! like `../../proto` mean the same in a container as in the checkout, wherever that is. What
//! version control ignores is no input; the caller says what that is, as nothing here starts `git`.

use fairway_blobs::{
    Blobs, CaptureRules, Kind, Modes, Selection as Taken, StatCache, TreeError, capture,
};
use fairway_model::{CommitId, Revision, RevisionState};
use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

/// A revision of one service, as it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The inputs.
    pub revision: Revision,
    /// The service's folder in the tree; empty if it is the tree's root.
    pub folder: String,
}

/// Where a service is and what belongs to it.
#[derive(Debug, Clone)]
pub struct Checkout<'a> {
    /// The folder of `fleet.yaml`; inputs lie within it.
    pub fleet: &'a Path,
    /// The service's folder, relative to `fleet`.
    pub service: &'a Path,
    /// What a revision covers, relative to the service.
    pub inputs: &'a [String],
    /// What version control says.
    pub versions: &'a Versions,
}

/// What version control says of a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    /// There is no repository; all files are inputs.
    None,
    /// There is one.
    Git {
        /// The commit that is checked out, if there is any yet.
        commit: Option<CommitId>,
        /// The files that are not ignored, relative to the fleet: `git ls-files --cached --others
        /// --exclude-standard`.
        files: BTreeSet<PathBuf>,
        /// Those that differ from the commit, also by being untracked or deleted.
        changed: BTreeSet<PathBuf>,
    },
}

/// Why sources could not be captured.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// An input leaves the fleet.
    #[error("input `{0}` is outside of the fleet")]
    Outside(String),
    /// An input does not exist.
    #[error("input `{0}` does not exist")]
    Missing(String),
    /// The files could not be stored.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

impl Checkout<'_> {
    /// Captures the inputs. The paths in `cache` are relative to the tree's root, so each service
    /// has a cache of its own.
    pub fn capture(&self, blobs: &Blobs, cache: &mut StatCache) -> Result<Source, SourceError> {
        let inputs = self.inputs()?;
        let root = root_of(self.service, &inputs);
        let select = |path: &Path, kind: Kind| self.select(&inputs, &root.join(path), kind);
        let rules = CaptureRules { modes: Modes::Source, select: &select };
        let captured = capture(blobs, &self.fleet.join(&root), &rules, cache)?;
        let folder = self.service.strip_prefix(&root).unwrap_or(self.service);
        let (commit, state) = self.state(&inputs);
        Ok(Source {
            revision: Revision { commit, tree: captured.digest, state },
            folder: folder.to_string_lossy().into_owned(),
        })
    }

    /// The inputs relative to the fleet.
    fn inputs(&self) -> Result<Vec<PathBuf>, SourceError> {
        let resolve = |input: &String| {
            let path = plain(&self.service.join(input))
                .ok_or_else(|| SourceError::Outside(input.clone()))?;
            match self.fleet.join(&path).symlink_metadata() {
                Ok(_) => Ok(path),
                Err(_) => Err(SourceError::Missing(input.clone())),
            }
        };
        self.inputs.iter().map(resolve).collect()
    }

    fn select(&self, inputs: &[PathBuf], path: &Path, kind: Kind) -> Taken {
        if path.file_name().is_some_and(|name| name == ".git") {
            return Taken::Skip;
        }
        if !inputs.iter().any(|input| path.starts_with(input)) {
            let leads_there = inputs.iter().any(|input| input.starts_with(path));
            return if leads_there && kind == Kind::Directory { Taken::Enter } else { Taken::Skip };
        }
        match (self.versions, kind) {
            (Versions::None, _) => Taken::Take,
            (Versions::Git { files, .. }, _) if files.contains(path) => Taken::Take,
            (Versions::Git { files, .. }, Kind::Directory) if holds(files, path) => Taken::Enter,
            (Versions::Git { .. }, _) => Taken::Skip,
        }
    }

    fn state(&self, inputs: &[PathBuf]) -> (Option<CommitId>, RevisionState) {
        let Versions::Git { commit, changed, .. } = self.versions else {
            return (None, RevisionState::Dirty);
        };
        let is_changed = |input: &PathBuf| changed.contains(input) || holds(changed, input);
        match commit.is_none() || inputs.iter().any(is_changed) {
            true => (commit.clone(), RevisionState::Dirty),
            false => (commit.clone(), RevisionState::Clean),
        }
    }
}

/// Whether a file of a set lies in a folder. Paths are ordered by components, so those in a folder
/// come right after it.
fn holds(files: &BTreeSet<PathBuf>, folder: &Path) -> bool {
    let mut from = files.range(folder.to_path_buf()..);
    from.next().is_some_and(|first| first.starts_with(folder))
}

/// Resolves `.` and `..` by name; none if the path leaves its root.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => plain.push(name),
            Component::CurDir => {}
            Component::ParentDir if plain.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(plain)
}

/// The deepest folder that holds the service and all inputs.
fn root_of(service: &Path, inputs: &[PathBuf]) -> PathBuf {
    let mut root = service.to_path_buf();
    for input in inputs {
        while !input.starts_with(&root) {
            root.pop();
        }
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_blobs::Tree;
    use std::fs;

    fn fleet() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let files =
            ["services/a/main", "services/a/out/x", "services/b/main", "proto/p", ".git/HEAD"];
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        dir
    }

    fn set(paths: &[&str]) -> BTreeSet<PathBuf> {
        paths.iter().map(PathBuf::from).collect()
    }

    fn check(fleet: &Path, inputs: &[&str], versions: &Versions) -> (Vec<String>, Source) {
        let store = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(store.path()).unwrap();
        let inputs: Vec<String> = inputs.iter().map(ToString::to_string).collect();
        let service = Path::new("services/a");
        let checkout = Checkout { fleet, service, inputs: &inputs, versions };
        let source = checkout.capture(&blobs, &mut StatCache::forgetful()).unwrap();
        let tree = Tree::load(&blobs, &source.revision.tree).unwrap();
        let files = tree.entries().iter().filter(|entry| entry.file().is_some());
        (files.map(|entry| entry.path.to_string()).collect(), source)
    }

    #[test]
    fn the_tree_reaches_as_far_up_as_its_inputs() {
        let dir = fleet();
        let (files, source) = check(dir.path(), &["."], &Versions::None);
        assert_eq!((files, source.folder.as_str()), (vec!["main".into(), "out/x".into()], ""));
        let (files, source) = check(dir.path(), &[".", "../../proto"], &Versions::None);
        assert_eq!(files, ["proto/p", "services/a/main", "services/a/out/x"]);
        assert_eq!(source.folder, "services/a");
    }

    #[test]
    fn what_version_control_ignores_is_no_input() {
        let dir = fleet();
        let commit: CommitId = "0".repeat(40).parse().unwrap();
        let git = |changed: &[&str]| Versions::Git {
            commit: Some(commit.clone()),
            files: set(&["proto/p", "services/a/main", "services/b/main"]),
            changed: set(changed),
        };
        let (files, source) = check(dir.path(), &["."], &git(&["services/b/main"]));
        assert_eq!(files, ["main"]);
        assert_eq!(source.revision.state, RevisionState::Clean);
        let (_, source) = check(dir.path(), &["."], &git(&["services/a/gone"]));
        assert_eq!(source.revision.state, RevisionState::Dirty);
        assert_eq!(source.revision.commit, Some(commit.clone()));
    }

    #[test]
    fn the_same_files_elsewhere_are_the_same_revision() {
        let (one, other) = (fleet(), fleet());
        let tree = |dir: &Path| check(dir, &["."], &Versions::None).1.revision.tree;
        assert_eq!(tree(one.path()), tree(other.path()));
    }

    #[test]
    fn inputs_outside_and_inputs_that_are_not_there_are_refused() {
        let dir = fleet();
        let store = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(store.path()).unwrap();
        let capture = |input: &str| {
            let inputs = [input.to_owned()];
            let service = Path::new("services/a");
            Checkout { fleet: dir.path(), service, inputs: &inputs, versions: &Versions::None }
                .capture(&blobs, &mut StatCache::forgetful())
        };
        assert!(matches!(capture("../../../etc"), Err(SourceError::Outside(_))));
        assert!(matches!(capture("nothing"), Err(SourceError::Missing(_))));
    }
}
