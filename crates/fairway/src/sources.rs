//! The sources of a fleet, captured once and divided into revisions of its services.

use crate::{
    failure::{Doing, Failure},
    git::GitFacts,
};
use fairway_blobs::{
    Blobs, CaptureRules, Kind, Modes, Selection, StatCache, Tree, TreePath, capture,
};
use fairway_model::{Revision, RevisionState, config::Member};
use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

/// What is never part of a source.
const SKIPPED: &str = ".git";

/// The sources of a fleet at one moment.
#[derive(Debug)]
pub struct Sources {
    git: Option<GitFacts>,
    tree: Tree,
}

impl Sources {
    /// Captures all files of a fleet that git does not ignore; without git, all files.
    pub fn capture(blobs: &Blobs, root: &Path, caches: &Path) -> Result<Self, Failure> {
        let git = GitFacts::of(root)?;
        let folders = git.as_ref().map(|git| folders_of(&git.files));
        let select = |path: &Path, kind: Kind| match (&git, &folders, kind) {
            (_, _, Kind::Directory) if path.file_name().is_some_and(|name| name == SKIPPED) => {
                Selection::Skip
            }
            (Some(_), Some(folders), Kind::Directory) if folders.contains(path) => Selection::Enter,
            (Some(git), _, Kind::File | Kind::Symlink) if git.files.contains(path) => {
                Selection::Take
            }
            (None, _, _) => Selection::Take,
            _ => Selection::Skip,
        };
        let rules = CaptureRules { modes: Modes::Source, select: &select };
        let mut cache = StatCache::open(caches, root).doing("open the cache of file digests")?;
        let captured = capture(blobs, root, &rules, &mut cache)
            .doing(format!("capture the sources in `{}`", root.display()))?;
        cache.save().doing("keep the cache of file digests")?;
        Ok(Self { git, tree: captured.tree })
    }

    /// All files of the fleet.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The revision of a service: what its inputs cover. An input outside of the service lies in
    /// the tree under its path without the leading `../`.
    pub fn revision(&self, blobs: &Blobs, member: &Member) -> Result<Revision, Failure> {
        let mut tree = Tree::default();
        let mut covered = Vec::new();
        for input in &member.service.inputs {
            let from = resolve(&member.root, input);
            let to = outside_stripped(input);
            let part = self.part(&from, &to).doing(format!("find the input `{input}`"))?;
            tree = tree.overlay(&part);
            covered.push(from);
        }
        let tree = tree.store(blobs).doing("store the sources")?;
        let commit = self.git.as_ref().and_then(|git| git.commit.clone());
        let is_clean = commit.is_some() && !self.differs_in(&covered);
        let state = if is_clean { RevisionState::Clean } else { RevisionState::Dirty };
        Ok(Revision { commit, tree, state })
    }

    fn differs_in(&self, covered: &[PathBuf]) -> bool {
        let changed = self.git.iter().flat_map(|git| &git.changed);
        changed.into_iter().any(|path| covered.iter().any(|input| path.starts_with(input)))
    }

    /// What is at `from` in the fleet, moved to `to`.
    fn part(&self, from: &Path, to: &Path) -> Result<Tree, fairway_blobs::TreeError> {
        let Ok(path) = TreePath::new(from) else {
            return Ok(self.tree.clone());
        };
        let inside = match self.tree.get(from) {
            Some(fairway_blobs::Node::Directory { .. }) => self.tree.below(&path),
            Some(_) => return self.single(&path, to),
            None => return Ok(Tree::default()),
        };
        match TreePath::new(to) {
            Ok(to) => inside.inside(&to),
            Err(_) => Ok(inside),
        }
    }

    /// A tree of one file.
    fn single(&self, from: &TreePath, to: &Path) -> Result<Tree, fairway_blobs::TreeError> {
        let folder = from.parent().map_or_else(
            || self.tree.subset(|entry| entry.path == *from),
            |parent| self.tree.below(&parent).subset(|entry| entry.path.name() == from.name()),
        );
        match to.parent().map(TreePath::new) {
            Some(Ok(parent)) => folder.inside(&parent),
            _ => Ok(folder),
        }
    }
}

/// All folders above the files.
fn folders_of(files: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    files.iter().flat_map(|file| file.ancestors().skip(1)).map(Path::to_owned).collect()
}

/// A path relative to the fleet's root without `.` and `..`; config has checked that it stays
/// inside.
fn resolve(folder: &str, input: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in Path::new(folder).join(input).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => drop(path.pop()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    path
}

fn outside_stripped(input: &str) -> PathBuf {
    Path::new(input).components().filter(|part| matches!(part, Component::Normal(_))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_resolved_from_the_service() {
        assert_eq!(resolve("services/orders", "."), Path::new("services/orders"));
        assert_eq!(resolve("services/orders", "../../proto"), Path::new("proto"));
        assert_eq!(resolve(".", "src"), Path::new("src"));
        assert_eq!(outside_stripped("../../proto"), Path::new("proto"));
        assert_eq!(outside_stripped("."), Path::new(""));
    }
}
