//! A build context: a file tree in the blob store with a Dockerfile and perhaps a `.dockerignore`.

use crate::{
    dockerfile::{DOCKERFILE_MAX, Dockerfile},
    error::BuildError,
    ignore::{IGNORE_FILE_MAX, IgnoreError, IgnoreRules},
    images::BuildRequest,
};
use fairway_blobs::{
    Blobs, CaptureRules, Captured, Modes, Node, Selection, StatCache, Tree, TreeError, TreePath,
    capture,
};
use fairway_model::{Diagnostic, SourceText, Span};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

const IGNORE_FILE: &str = ".dockerignore";

/// A context that has been read.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) dockerfile: Dockerfile,
    /// Without what is ignored.
    pub(crate) files: Tree,
    rules: IgnoreRules,
}

impl Context {
    pub(crate) fn load(blobs: &Blobs, request: &BuildRequest) -> Result<Self, BuildError> {
        let BuildRequest { dockerfile, shown, .. } = request;
        let tree = Tree::load(blobs, &request.tree)?;
        // The folder of the Dockerfile is the context.
        let (tree, dockerfile) = match Path::new(dockerfile).parent().map(TreePath::new) {
            Some(Ok(folder)) => (tree.below(&folder), file_name(dockerfile)),
            _ => (tree, dockerfile.as_str()),
        };
        let limit = DOCKERFILE_MAX as u64;
        let text = read(blobs, &tree, Path::new(dockerfile), limit)?;
        let Some(text) = text else {
            return Err(BuildError::NoDockerfile { dockerfile: shown.clone() });
        };
        let parsed = Dockerfile::parse(shown, &text).map_err(BuildError::Invalid)?;
        let mut rules = IgnoreRules::default();
        for path in ignore_files(dockerfile) {
            if let Some(text) = read(blobs, &tree, &path, IGNORE_FILE_MAX)? {
                rules = parse_rules(&Path::new(shown).with_file_name(path), &text)?;
                break;
            }
        }
        let files = tree.subset(|entry| !rules.is_ignored(entry.path.as_path()));
        Ok(Self { dockerfile: parsed, files, rules })
    }

    /// Why a path may not be found here.
    pub(crate) fn absence(&self, path: &str) -> &'static str {
        let path = path.trim_start_matches("./").trim_matches('/');
        if self.rules.is_ignored(Path::new(path)) {
            "`.dockerignore` leaves it out"
        } else {
            "paths are relative to the build context"
        }
    }
}

/// Captures a folder as a build context; `dockerfile` is in it by this name. What its `.dockerignore` names is left out, but for the
/// Dockerfile and the `.dockerignore` themselves.
pub fn capture_context(
    blobs: &Blobs,
    folder: &Path,
    dockerfile: &str,
    cache: &mut StatCache,
) -> Result<Captured, BuildError> {
    let mut rules = IgnoreRules::default();
    for path in ignore_files(dockerfile) {
        let full = folder.join(&path);
        match fs::read_to_string(&full) {
            Ok(text) => {
                rules = parse_rules(&full, &text)?;
                break;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(BuildError::io("read", &full, error)),
        }
    }
    let mut always = ignore_files(dockerfile).to_vec();
    always.push(PathBuf::from(dockerfile));
    let select = |path: &Path, kind| {
        if always.iter().any(|one| one == path) {
            return Selection::Take;
        }
        match rules.select(path, kind) {
            Selection::Skip if always.iter().any(|one| one.starts_with(path)) => Selection::Enter,
            selection => selection,
        }
    };
    let rules = CaptureRules { modes: Modes::Source, select: &select };
    Ok(capture(blobs, folder, &rules, cache)?)
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Where rules are looked for; the first that is there counts.
fn ignore_files(dockerfile: &str) -> [PathBuf; 2] {
    [PathBuf::from(format!("{dockerfile}.dockerignore")), PathBuf::from(IGNORE_FILE)]
}

fn parse_rules(path: &Path, text: &str) -> Result<IgnoreRules, BuildError> {
    IgnoreRules::parse(text).map_err(|error| BuildError::at(diagnose(path, text, &error)))
}

fn diagnose(path: &Path, text: &str, error: &IgnoreError) -> Diagnostic {
    let span = match error {
        IgnoreError::Pattern { line, .. } => Span::rest_of_line(*line, 1),
        IgnoreError::TooMany => Span::START,
    };
    SourceText::new(&path.to_string_lossy(), text).diagnose(span, error.to_string())
}

/// A file of a tree as text; bytes that are not UTF-8 become replacement characters.
fn read(blobs: &Blobs, tree: &Tree, path: &Path, limit: u64) -> Result<Option<String>, BuildError> {
    let Some(Node::File { digest, .. }) = tree.get(path) else { return Ok(None) };
    let bytes = blobs.get(digest, limit).map_err(TreeError::from)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
