//! The nodes of a document.

use crate::Span;
use std::sync::Arc;

/// A value with its place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Where it stands.
    pub(crate) span: Span,
    /// The place to name when something is missing in it: its key, if it has one.
    pub(crate) owner: Span,
    /// What it is.
    pub(crate) kind: Kind,
    /// The nodes in it and itself, aliases counted as what they stand for.
    pub(crate) weight: u32,
    /// How deep the nodes in it are nested.
    pub(crate) depth: u32,
}

/// What a node is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    Sequence(Vec<Arc<Node>>),
    Mapping(Vec<Entry>),
}

/// A text as it was written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    /// The text without quotes.
    pub(crate) text: String,
    pub(crate) style: Style,
}

/// How a text was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes, so it could be a number.
    Plain,
    /// In quotes or as a block.
    Quoted,
}

/// A key of a mapping with its value. Keys are unique and in the order of the file; those that were
/// merged in come last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Arc<Node>,
}

impl Node {
    /// The value that a key has by default: `{}`, a flat list, or a text. It stands nowhere.
    pub(crate) fn of_default(text: &str) -> Self {
        let scalar =
            |text: &str| Kind::Scalar(Scalar { text: text.trim().to_owned(), style: Style::Plain });
        let nowhere =
            |kind| Self { span: Span::START, owner: Span::START, kind, weight: 1, depth: 0 };
        let list = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        nowhere(match list {
            Some(items) => {
                let items = items.split(',').filter(|item| !item.is_empty());
                Kind::Sequence(items.map(|item| Arc::new(nowhere(scalar(item)))).collect())
            }
            None if text == "{}" => Kind::Mapping(Vec::new()),
            None => scalar(text),
        })
    }

    /// What it is, for messages.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(_) if self.is_nothing() => "nothing",
            Kind::Scalar(_) => "text",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        }
    }

    /// Whether nothing was written.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(scalar)
            if scalar.style == Style::Plain && scalar.text.is_empty())
    }

    /// The entries of a mapping.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Mapping(entries) => entries,
            Kind::Scalar(_) | Kind::Sequence(_) => &[],
        }
    }

    /// The entry of a mapping under a key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The entry of a mapping under a key or the item of a list under an index, with its place.
    pub(crate) fn child(&self, key: &str) -> Option<(Span, &Node)> {
        if let Some(entry) = self.entry(key) {
            return Some((entry.key_span, &entry.value));
        }
        let item = self.items().get(key.parse::<usize>().ok()?)?;
        Some((item.span, item))
    }

    /// The items of a list.
    pub(crate) fn items(&self) -> &[Arc<Node>] {
        match &self.kind {
            Kind::Sequence(items) => items,
            Kind::Scalar(_) | Kind::Mapping(_) => &[],
        }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            Kind::Sequence(_) | Kind::Mapping(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceText;
    use crate::config::{reporter::Reporter, yaml::Document};

    /// A node without its place.
    fn shape(node: &Node) -> String {
        match &node.kind {
            Kind::Scalar(scalar) => format!("{:?} {:?}", scalar.text, scalar.style),
            Kind::Sequence(items) => {
                format!("{:?}", items.iter().map(|n| shape(n)).collect::<Vec<_>>())
            }
            Kind::Mapping(entries) => {
                let entries = entries.iter().map(|entry| (&entry.key, shape(&entry.value)));
                format!("{:?}", entries.collect::<Vec<_>>())
            }
        }
    }

    #[test]
    fn a_default_is_what_the_same_text_is_in_a_file() {
        for text in ["{}", "[]", "[.]", "[services/*, a]", "1", "50ms", "Dockerfile", "false", "/"]
        {
            let mut log = Reporter::new(SourceText::new("", text));
            let document = Document::read(text, &mut log).unwrap();
            assert_eq!(shape(document.root()), shape(&Node::of_default(text)), "{text}");
        }
    }
}
