//! Collects what is wrong in one file.

use super::yaml::DIAGNOSTICS_MAX;
use crate::{Diagnostic, SourceText, Span};

/// Collects the diagnostics of one file, up to a limit.
pub(crate) struct Reporter<'t> {
    source: SourceText<'t>,
    found: Vec<Diagnostic>,
}

impl<'t> Reporter<'t> {
    /// A reporter of a file that has nothing wrong yet.
    pub(crate) fn new(source: SourceText<'t>) -> Self {
        Self { source, found: Vec::new() }
    }

    /// A diagnostic of this file, not yet reported.
    pub(crate) fn diagnose(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.source.diagnose(span, message)
    }

    /// Reports a diagnostic. Beyond the limit it is dropped: by then there is enough to mend.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        if !self.is_full() {
            self.found.push(diagnostic);
        }
    }

    /// Reports a message at a place.
    pub(crate) fn error(&mut self, span: Span, message: impl Into<String>) {
        self.report(self.source.diagnose(span, message));
    }

    /// Whether the limit is reached, so that looking for more is of no use.
    pub(crate) fn is_full(&self) -> bool {
        self.found.len() >= DIAGNOSTICS_MAX
    }

    /// What was found, in the order of the file and each thing once.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.found.sort();
        self.found.dedup();
        self.found
    }
}
