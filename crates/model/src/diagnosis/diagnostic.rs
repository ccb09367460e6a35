//! One thing that is wrong in a text.

use super::{Excerpt, Span};
use serde::Serialize;

/// One thing that is wrong in a text that a user wrote. It carries the line it speaks of, so it
/// can be shown after the text is gone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Diagnostic {
    /// The file.
    pub path: String,
    /// The place in the file.
    #[serde(flatten)]
    pub span: Span,
    /// What is wrong, as a lowercase fragment.
    pub message: String,
    /// What to write there, said at the caret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The word that was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// What to do next, or where the other half of a contradiction stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The line.
    #[serde(skip)]
    pub excerpt: Excerpt,
}

impl Diagnostic {
    /// Says what to write, at the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Asks at the caret whether this word was meant. It takes the place of the label.
    #[must_use]
    pub fn suggest(mut self, word: Option<impl Into<String>>) -> Self {
        self.suggestion = word.map(Into::into);
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What stands at the caret.
    pub fn caret_text(&self) -> Option<String> {
        match &self.suggestion {
            Some(word) => Some(format!("did you mean `{word}`?")),
            None => self.label.clone(),
        }
    }
}
