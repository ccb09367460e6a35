//! Which files of a build context a COPY or ADD names. Pure.

use crate::{cache::Key, ignore::glob};
use fairway_blobs::{Node, Tree, TreePath};
use std::{
    ffi::OsString,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
};

/// Most links that are followed on the way to one path (`path_resolution(7)`).
const LINKS_MAX: usize = 40;

/// What one source of a COPY is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// What is in a directory.
    Content(Tree),
    /// A file, under its name.
    File(OsString, Node),
}

impl Source {
    /// Adds all that matters of it to a cache key.
    pub(crate) fn add_to(&self, key: Key) -> Key {
        match self {
            Self::Content(tree) => key.text("content").text(tree.digest().0.as_bytes()),
            Self::File(name, Node::File { mode, digest, .. }) => key
                .text("file")
                .text(name.as_bytes())
                .number(mode.bits().into())
                .text(digest.as_bytes()),
            Self::File(name, Node::Symlink { target }) => {
                key.text("link").text(name.as_bytes()).text(target.as_bytes())
            }
            Self::File(_, Node::Directory { .. }) => unreachable!("a directory is its content"),
        }
    }
}

/// What a path or pattern names, in order; empty if nothing.
pub(crate) fn find(tree: &Tree, pattern: &str) -> Result<Vec<Source>, String> {
    let pattern = clean(Path::new(pattern));
    if pattern.as_os_str().is_empty() {
        return Ok(vec![Source::Content(tree.clone())]);
    }
    let text = pattern.to_string_lossy();
    if !text.contains(['*', '?', '[']) {
        let plain = PathBuf::from(text.replace('\\', ""));
        return Ok(source(tree, &plain).into_iter().collect());
    }
    let glob = glob(&text).map_err(|_| format!("`{text}` is not a pattern"))?;
    let matching = tree.entries().iter().filter(|entry| glob.is_match(entry.path.as_path()));
    Ok(matching.filter_map(|entry| source(tree, entry.path.as_path())).collect())
}

/// What is at a path, with links followed within the tree.
fn source(tree: &Tree, path: &Path) -> Option<Source> {
    let name = path.file_name()?.to_owned();
    let path = follow(tree, path)?;
    if path.as_os_str().is_empty() {
        return Some(Source::Content(tree.clone()));
    }
    match tree.get(&path)? {
        Node::Directory { .. } => {
            let path = TreePath::new(&path).expect("a path of the tree is a tree path");
            Some(Source::Content(tree.below(&path)))
        }
        node => Some(Source::File(name, node.clone())),
    }
}

/// The path without links; `None` if a link on the way leads nowhere.
fn follow(tree: &Tree, path: &Path) -> Option<PathBuf> {
    let mut rest: Vec<OsString> = parts(path);
    rest.reverse();
    let mut reached = PathBuf::new();
    let mut links = 0;
    while let Some(part) = rest.pop() {
        if part == ".." {
            reached.pop();
            continue;
        }
        let next = reached.join(&part);
        match tree.get(&next)? {
            Node::Symlink { target } => {
                links += 1;
                if links > LINKS_MAX {
                    return None;
                }
                if Path::new(target).is_absolute() {
                    reached.clear();
                }
                rest.extend(parts(Path::new(target)).into_iter().rev());
            }
            _ => reached = next,
        }
    }
    Some(reached)
}

fn parts(path: &Path) -> Vec<OsString> {
    let part = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().filter_map(part).collect()
}

/// A path relative to the root, with `.` and `..` resolved; `..` does not lead above the root.
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in parts(path) {
        if part == ".." {
            cleaned.pop();
        } else {
            cleaned.push(part);
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_blobs::{Entry, Mode};
    use fairway_model::Digest;

    fn tree(specs: &[&str]) -> Tree {
        let entry = |spec: &&str| {
            let (path, node) = match spec.split_once('>') {
                Some((path, target)) => (path, Node::Symlink { target: target.into() }),
                None if spec.ends_with('/') => {
                    (spec.trim_end_matches('/'), Node::Directory { mode: Mode::EXECUTABLE })
                }
                None => {
                    let digest = Digest::of(spec);
                    (*spec, Node::File { mode: Mode::FILE, size: 1, digest })
                }
            };
            Entry { path: TreePath::new(path).expect("a path"), node }
        };
        Tree::from_entries(specs.iter().map(entry).collect()).expect("a tree")
    }

    fn shown(found: &[Source]) -> Vec<String> {
        let show = |source: &Source| match source {
            Source::Content(tree) => format!("{} entries", tree.entries().len()),
            Source::File(name, _) => name.to_string_lossy().into_owned(),
        };
        found.iter().map(show).collect()
    }

    #[test]
    fn sources_are_paths_patterns_and_links() {
        let tree = tree(&[
            "a.js",
            "b.js",
            "l>src/x",
            "out>/../../src",
            "loop>loop",
            "gone>no",
            "src/",
            "src/x",
            "src/y",
        ]);
        for (pattern, expected) in [
            (".", &["9 entries"][..]),
            ("/", &["9 entries"]),
            ("../..", &["9 entries"]),
            ("*.js", &["a.js", "b.js"]),
            ("src", &["2 entries"]),
            ("src/", &["2 entries"]),
            ("src/*", &["x", "y"]),
            ("./src/../a.js", &["a.js"]),
            ("l", &["l"]),
            ("out", &["2 entries"]),
            ("out/x", &["x"]),
            ("loop", &[]),
            ("gone", &[]),
            ("none", &[]),
            ("n*", &[]),
        ] {
            assert_eq!(shown(&find(&tree, pattern).unwrap()), expected, "{pattern}");
        }
        assert!(find(&tree, "[").is_err());
    }
}
