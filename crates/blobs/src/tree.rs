//! A whole file tree in memory: sorted, without doubles, every entry below a directory of its own.

use crate::{
    entry::{Entry, Mode, Node},
    error::TreeError,
    manifest::{self, ENTRIES_MAX, MANIFEST_MAX, is_link_target},
    store::Blobs,
    tree_path::{PathError, TreePath},
    writer::Durability,
};
use fairway_model::{Digest, TreeDigest};
use std::{collections::BTreeMap, os::unix::ffi::OsStrExt, path::Path};

/// The entries of a file tree. Its digest depends on relative paths, contents, permissions and link
/// targets; not on where it was, on owners or on times.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    entries: Vec<Entry>,
}

impl Tree {
    /// Makes a tree of entries in any order. Every directory must be among them.
    pub fn from_entries(mut entries: Vec<Entry>) -> Result<Self, TreeError> {
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        check(&entries)?;
        Ok(Self { entries })
    }

    /// Reads a tree from its manifest in the store.
    pub fn load(blobs: &Blobs, tree: &TreeDigest) -> Result<Self, TreeError> {
        let bytes = blobs.get(&tree.0, MANIFEST_MAX)?;
        let refuse = |because: String| TreeError::Manifest { tree: *tree, because };
        let entries = manifest::decode(&bytes).map_err(refuse)?;
        if !entries.is_sorted_by(|a, b| a.path < b.path) {
            return Err(refuse("its entries are not in order".to_owned()));
        }
        check(&entries).map_err(|error| refuse(error.to_string()))?;
        Ok(Self { entries })
    }

    /// Stores the manifest. Not synced to disk: a tree can be captured again.
    pub fn store(&self, blobs: &Blobs) -> Result<TreeDigest, TreeError> {
        let bytes = manifest::encode(&self.entries);
        if self.entries.len() > ENTRIES_MAX || bytes.len() as u64 > MANIFEST_MAX {
            return Err(TreeError::TooMany { limit: ENTRIES_MAX });
        }
        Ok(TreeDigest(blobs.put_with(&bytes, Durability::Deferred)?))
    }

    /// The digest of the manifest, without storing it.
    pub fn digest(&self) -> TreeDigest {
        TreeDigest(Digest::of(manifest::encode(&self.entries)))
    }

    /// All entries; a directory comes right before what is in it.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What is at a path.
    pub fn get(&self, path: impl AsRef<Path>) -> Option<&Node> {
        let path = TreePath::new(path).ok()?;
        let at = self.entries.binary_search_by(|entry| entry.path.cmp(&path)).ok()?;
        Some(&self.entries[at].node)
    }

    /// The bytes of all files together.
    pub fn size(&self) -> u64 {
        self.entries.iter().map(|entry| entry.file().map_or(0, |(size, _)| size)).sum()
    }

    /// Whether all blobs of the tree are in the store and as long as they should be.
    pub fn is_complete(&self, blobs: &Blobs) -> bool {
        let files = self.entries.iter().filter_map(Entry::file);
        files.into_iter().all(|(size, digest)| blobs.size(digest) == Some(size))
    }

    /// Lays another tree over this one. Where both have a path, `upper` wins; two directories
    /// become one with the permissions of the upper; anything else replaces all below the path.
    #[must_use]
    pub fn overlay(self, upper: &Tree) -> Self {
        let is_hidden = |entry: &Entry| {
            let mut path = Some(entry.path.clone());
            while let Some(at) = path {
                match upper.get(&at) {
                    Some(Node::Directory { .. }) => return false,
                    Some(_) => return true,
                    None => path = at.parent(),
                }
            }
            false
        };
        let kept = self.entries.iter().filter(|&entry| !is_hidden(entry));
        let lower = kept.map(|entry| (entry.path.clone(), entry.node.clone()));
        let upper = upper.entries.iter().map(|entry| (entry.path.clone(), entry.node.clone()));
        let both: BTreeMap<_, _> = lower.chain(upper).collect();
        Self { entries: both.into_iter().map(|(path, node)| Entry { path, node }).collect() }
    }

    /// Keeps the entries that are wanted and the directories above them.
    #[must_use]
    pub fn subset(&self, mut is_wanted: impl FnMut(&Entry) -> bool) -> Self {
        let mut wanted: Vec<Entry> = Vec::new();
        for entry in self.entries.iter().rev() {
            let holds_wanted = wanted
                .last()
                .is_some_and(|below| below.path.as_path().starts_with(entry.path.as_path()));
            if holds_wanted || is_wanted(entry) {
                wanted.push(entry.clone());
            }
        }
        wanted.reverse();
        Self { entries: wanted }
    }

    /// What is in a directory of this tree, as a tree of its own. Empty if there is no such
    /// directory.
    #[must_use]
    pub fn below(&self, directory: &TreePath) -> Self {
        let inside = |entry: &Entry| {
            let path = entry.path.as_path().strip_prefix(directory.as_path()).ok()?;
            Some(Entry { path: TreePath::new(path).ok()?, node: entry.node.clone() })
        };
        Self { entries: self.entries.iter().filter_map(inside).collect() }
    }

    /// This tree inside a directory of a new tree.
    pub fn inside(&self, directory: &TreePath) -> Result<Self, TreeError> {
        let refuse = |path: &TreePath, source: PathError| TreeError::Path {
            path: directory.as_path().join(path.as_path()),
            source,
        };
        let mut entries = Vec::with_capacity(self.entries.len() + 1);
        let mut above = Some(directory.clone());
        while let Some(path) = above {
            above = path.parent();
            entries.push(Entry { path, node: Node::Directory { mode: Mode::EXECUTABLE } });
        }
        for entry in &self.entries {
            let moved = entry.path.inside(directory);
            let path = moved.map_err(|error| refuse(&entry.path, error))?;
            entries.push(Entry { path, node: entry.node.clone() });
        }
        Self::from_entries(entries)
    }
}

impl Entry {
    /// Size and blob, if this is a file.
    pub fn file(&self) -> Option<(u64, &Digest)> {
        match &self.node {
            Node::File { size, digest, .. } => Some((*size, digest)),
            Node::Directory { .. } | Node::Symlink { .. } => None,
        }
    }
}

/// Checks sorted entries: no path twice, and each right below the root or a directory.
fn check(entries: &[Entry]) -> Result<(), TreeError> {
    if entries.len() > ENTRIES_MAX {
        return Err(TreeError::TooMany { limit: ENTRIES_MAX });
    }
    let mut above: Vec<&TreePath> = Vec::new();
    let mut last: Option<&TreePath> = None;
    for Entry { path, node } in entries {
        while above.last().is_some_and(|top| !path.as_path().starts_with(top.as_path())) {
            above.pop();
        }
        let has_parent = above.last().map(|top| top.as_bytes()) == path.parent_bytes();
        if !has_parent || last == Some(path) {
            return Err(TreeError::Misplaced(path.clone()));
        }
        match node {
            Node::Directory { .. } => above.push(path),
            Node::Symlink { target } if !is_link_target(target.as_bytes()) => {
                return Err(TreeError::Link(path.clone()));
            }
            Node::File { .. } | Node::Symlink { .. } => {}
        }
        last = Some(path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).expect("a path")
    }

    /// A tree of `dir/`, `file=text` and `link>target`, with missing directories added.
    fn tree(specs: &[&str]) -> Tree {
        let mut entries = BTreeMap::new();
        for spec in specs {
            let (at, node) = if let Some(at) = spec.strip_suffix('/') {
                (path(at), Node::Directory { mode: Mode::EXECUTABLE })
            } else if let Some((at, target)) = spec.split_once('>') {
                (path(at), Node::Symlink { target: target.into() })
            } else {
                let (at, text) = spec.split_once('=').expect("a file has text");
                let digest = Digest::of(text);
                (path(at), Node::File { mode: Mode::FILE, size: text.len() as u64, digest })
            };
            let mut above = at.parent();
            while let Some(directory) = above {
                above = directory.parent();
                entries.entry(directory).or_insert(Node::Directory { mode: Mode::EXECUTABLE });
            }
            entries.insert(at, node);
        }
        let entries = entries.into_iter().map(|(path, node)| Entry { path, node }).collect();
        Tree::from_entries(entries).expect("a tree")
    }

    #[test]
    fn the_upper_tree_wins() {
        let table = [
            (vec!["a=1", "b=1"], vec!["b=2", "c=2"], vec!["a=1", "b=2", "c=2"]),
            (vec!["d/a=1"], vec!["d/b=2"], vec!["d/a=1", "d/b=2"]),
            (vec!["d/a=1"], vec!["d=2"], vec!["d=2"]),
            (vec!["d/e/a=1"], vec!["d>/etc"], vec!["d>/etc"]),
            (vec!["d>/etc"], vec!["d/a=2"], vec!["d/a=2"]),
            (vec!["d=1"], vec!["d/e/a=2"], vec!["d/e/a=2"]),
            (vec!["a=1"], vec![], vec!["a=1"]),
        ];
        for (lower, upper, both) in table {
            assert_eq!(tree(&lower).overlay(&tree(&upper)), tree(&both), "{lower:?} {upper:?}");
        }
    }

    #[test]
    fn a_subset_keeps_the_directories_above() {
        let all = tree(&["a/b/c=1", "a/d=2", "a/e/", "f=3"]);
        let some = all.subset(|entry| entry.path == path("a/b/c"));
        assert_eq!(some, tree(&["a/b/c=1"]));
        assert_eq!(all.subset(|_| true), all);
        assert_eq!(all.subset(|_| false), Tree::default());
    }

    #[test]
    fn a_directory_can_be_taken_out_and_put_in() {
        let all = tree(&["a/b/c=1", "a/d=2", "f=3"]);
        let below = all.below(&path("a"));
        assert_eq!(below, tree(&["b/c=1", "d=2"]));
        assert_eq!(below.inside(&path("x/y")).unwrap(), tree(&["x/y/b/c=1", "x/y/d=2"]));
        assert_eq!(below.size(), 2);
        assert!(matches!(below.get("b/c"), Some(Node::File { size: 1, .. })));
    }

    #[test]
    fn an_entry_without_its_directory_is_refused() {
        let file = |at: &str| Entry {
            path: path(at),
            node: Node::File { mode: Mode::FILE, size: 0, digest: Digest::of("") },
        };
        let link = Entry { path: path("d"), node: Node::Symlink { target: "/etc".into() } };
        for entries in [
            vec![file("a/b")],
            vec![file("a"), file("a/b")],
            vec![link, file("d/passwd")],
            vec![file("a"), file("a")],
        ] {
            assert!(matches!(Tree::from_entries(entries), Err(TreeError::Misplaced(_))));
        }
    }
}
