//! Text as it was written.

use crate::closest;
use crate::config::reporter::Reporter;
use crate::config::yaml::{Kind, Node, Style};
use serde_json::Value;
use std::{fmt::Display, str::FromStr};

/// The text of a scalar. Nothing at all is not text; an empty text is written `""`.
pub(crate) fn read_text<'n>(node: &'n Node, log: &mut Reporter) -> Option<&'n str> {
    match node.text() {
        Some(_) if node.is_nothing() => {
            let nothing = log.diagnose(node.owner, "a value is missing");
            log.report(nothing.label("give it one, or leave the key out"));
            None
        }
        Some(text) if text.contains('\0') => {
            log.error(node.span, "text cannot hold a NUL character");
            None
        }
        Some(text) => Some(text),
        None => {
            log.error(node.span, format!("expected text, found {}", node.describe()));
            None
        }
    }
}

/// Parses the text of a scalar. What an error says after `; ` is advice and goes to the caret.
pub(super) fn parse<T: FromStr<Err: Display>>(node: &Node, log: &mut Reporter) -> Option<T> {
    let text = read_text(node, log)?;
    match text.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            refuse(node, log, &format!("{error}"));
            None
        }
    }
}

/// Reports that a value is not what it should be, as `what is wrong; what to write`.
pub(crate) fn refuse(node: &Node, log: &mut Reporter, message: &str) {
    let (message, label) = match message.split_once("; ") {
        Some((message, label)) => (message, Some(label)),
        None => (message, None),
    };
    let wrong = log.diagnose(node.span, message);
    log.report(match label {
        Some(label) => wrong.label(label),
        None => wrong,
    });
}

/// Reports a word that is not among the known ones.
pub(super) fn refuse_word(node: &Node, log: &mut Reporter, message: String, known: &[&str]) {
    let meant = node.text().and_then(|text| closest(text, known.iter().copied()));
    let label = format!("known: `{}`", known.join("`, `"));
    log.report(log.diagnose(node.span, message).label(label).suggest(meant));
}

/// The first characters of a text, for messages.
pub(crate) fn short(text: &str) -> String {
    const SHOWN_MAX: usize = 80;
    text.chars().take(SHOWN_MAX).collect()
}

/// A default as JSON.
pub(crate) fn plain(text: &str) -> Value {
    json(&Node::of_default(text))
}

fn json(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.style == Style::Plain => {
            serde_json::from_str(&scalar.text).unwrap_or_else(|_| scalar.text.clone().into())
        }
        Kind::Scalar(scalar) => scalar.text.clone().into(),
        Kind::Sequence(items) => items.iter().map(|item| json(item)).collect(),
        Kind::Mapping(entries) => {
            entries.iter().map(|entry| (entry.key.clone(), json(&entry.value))).collect()
        }
    }
}
