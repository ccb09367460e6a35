//! Mappings with unique keys and merge keys (<https://yaml.org/type/merge.html>).

use super::node::{Entry, Kind, Node};
use crate::Span;
use crate::config::reporter::Reporter;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

const MERGE: &str = "<<";

/// Takes the keys and values of one mapping in turn.
#[derive(Default)]
pub(super) struct MappingBuilder {
    entries: Vec<Entry>,
    seen: HashMap<String, Span>,
    merged: Vec<Arc<Node>>,
    next: Next,
}

/// What the next node of a mapping is.
#[derive(Default)]
enum Next {
    #[default]
    Key,
    /// The value of a key.
    Value { key: String, span: Span },
    /// What is merged in.
    Merged(Span),
    /// The value of something that cannot be a key.
    Ignored,
}

impl MappingBuilder {
    /// The key whose value comes next.
    pub(super) fn open_key(&self) -> Option<Span> {
        match &self.next {
            Next::Value { span, .. } => Some(*span),
            Next::Key | Next::Merged(_) | Next::Ignored => None,
        }
    }

    /// Takes the next key or value.
    pub(super) fn take(&mut self, node: Arc<Node>, log: &mut Reporter) {
        self.next = match std::mem::take(&mut self.next) {
            Next::Key => self.key(&node, log),
            Next::Value { key, span } => {
                self.entries.push(Entry { key, key_span: span, value: node });
                Next::Key
            }
            Next::Merged(span) => {
                self.merge(node, span, log);
                Next::Key
            }
            Next::Ignored => Next::Key,
        };
    }

    /// The entries: those of the mapping itself, then those merged in under other keys.
    pub(super) fn finish(self) -> Vec<Entry> {
        let mut entries = self.entries;
        let mut seen: HashSet<String> = self.seen.into_keys().collect();
        for entry in self.merged.iter().flat_map(|mapping| mapping.entries()) {
            if seen.insert(entry.key.clone()) {
                entries.push(entry.clone());
            }
        }
        entries
    }

    fn key(&mut self, node: &Node, log: &mut Reporter) -> Next {
        let Some(text) = node.text() else {
            log.error(node.span, format!("a key is text, not {}", node.describe()));
            return Next::Ignored;
        };
        if text == MERGE {
            return Next::Merged(node.span);
        }
        if let Some(first) = self.seen.get(text) {
            let twice = log.diagnose(node.span, format!("key `{text}` is there twice"));
            log.report(twice.label(format!("it is already on line {}", first.line)));
            return Next::Ignored;
        }
        self.seen.insert(text.to_owned(), node.span);
        Next::Value { key: text.to_owned(), span: node.span }
    }

    fn merge(&mut self, node: Arc<Node>, span: Span, log: &mut Reporter) {
        let sources = match &node.kind {
            Kind::Sequence(items) => items.clone(),
            Kind::Mapping(_) | Kind::Scalar(_) => vec![node],
        };
        for source in sources {
            if matches!(source.kind, Kind::Mapping(_)) {
                self.merged.push(source);
                continue;
            }
            let wrong = format!("`<<` merges mappings, not {}", source.describe());
            log.report(log.diagnose(span, wrong).label("write it like `<<: *name`"));
        }
    }
}
