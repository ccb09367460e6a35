//! What a stage hands on: its artifacts and what its reports say.

use super::{container::WORK, end::Stopped, globs::Pattern, stage_run::StageRun};
use crate::{Cause, JUnitSummary, REPORT_MAX, StepsWork, junit::parse_junit};
use fairway_blobs::{BlobError, Node, Tree, TreePath};
use fairway_engine::{ContainerId, Exit};
use std::path::Path;

impl StageRun {
    /// Takes out what a stage whose steps passed promised to hand on.
    pub(crate) async fn collect(
        &mut self,
        id: &ContainerId,
        work: &StepsWork,
        exit: &Exit,
    ) -> Result<(), Stopped> {
        debug_assert!(exit.is_success());
        for pattern in &work.reports {
            let files = self.take_some(id, pattern).await?;
            let summary = self.read_reports(&files)?;
            self.result.outputs.tests.get_or_insert_default().add(summary);
        }
        let mut artifacts: Option<Tree> = None;
        for pattern in &work.artifacts {
            let taken = self.take_some(id, pattern).await?;
            artifacts = Some(artifacts.unwrap_or_default().overlay(&taken));
        }
        if let Some(artifacts) = artifacts {
            self.result.outputs.artifacts = Some(artifacts.store(&self.ctx.tools.blobs)?);
        }
        Ok(())
    }

    /// Reads what reports a failed stage left, for the names of what failed. That there are none is
    /// no news then.
    pub(crate) async fn failing_reports(&mut self, id: &ContainerId, work: &StepsWork) {
        for pattern in &work.reports {
            if let Ok(files) = self.take_some(id, pattern).await
                && let Ok(summary) = self.read_reports(&files)
            {
                self.result.outputs.tests.get_or_insert_default().add(summary);
            }
        }
    }

    /// What matches a glob, relative to the service.
    async fn take_some(&self, id: &ContainerId, pattern: &str) -> Result<Tree, Stopped> {
        let glob =
            Pattern::new(pattern).map_err(|error| Cause::Engine { message: error.to_string() })?;
        let taken = self.take(id, &glob).await?;
        let some = taken.subset(|entry| glob.matches(entry.path.as_path()));
        if some.entries().is_empty() {
            return Err(Cause::NothingMatches { pattern: pattern.to_owned() }.into());
        }
        Ok(some)
    }

    async fn take(&self, id: &ContainerId, glob: &Pattern) -> Result<Tree, Stopped> {
        let at = match glob.fixed.as_str() {
            "" => WORK.to_owned(),
            fixed => format!("{WORK}/{fixed}"),
        };
        let Some(digest) = self.ctx.tools.sandbox.take_tree(id, &at).await? else {
            return Ok(Tree::default());
        };
        let tree = Tree::load(&self.ctx.tools.blobs, &digest)?;
        let fixed = Path::new(&glob.fixed);
        let is_file = glob.may_be_file && is_only_file(&tree, fixed);
        let above = if is_file { fixed.parent().unwrap_or(Path::new("")) } else { fixed };
        match TreePath::new(above) {
            Ok(above) => Ok(tree.inside(&above)?),
            Err(_) => Ok(tree),
        }
    }

    fn read_reports(&self, files: &Tree) -> Result<JUnitSummary, Stopped> {
        let mut summary = JUnitSummary::default();
        for entry in files.entries() {
            let Some((_, digest)) = entry.file() else { continue };
            let bad = |because: String| Cause::BadReport { path: entry.path.to_string(), because };
            let bytes = match self.ctx.tools.blobs.get(digest, REPORT_MAX) {
                Err(BlobError::TooLarge { limit, .. }) => {
                    return Err(bad(format!("has more than {limit} bytes")).into());
                }
                bytes => bytes?,
            };
            summary.add(parse_junit(&bytes).map_err(|error| bad(error.to_string()))?);
        }
        Ok(summary)
    }
}

/// Whether a tree is what a single file gives: that file alone, under its own name.
fn is_only_file(tree: &Tree, path: &Path) -> bool {
    match tree.entries() {
        [only] => {
            matches!(only.node, Node::File { .. }) && Some(only.path.name()) == path.file_name()
        }
        _ => false,
    }
}
