//! One file as a tree.

use super::builder::Builder;
use super::node::Node;
use super::syntax;
use super::{FILE_MAX, position};
use crate::config::reporter::Reporter;
use crate::{Diagnostic, Span};
use saphyr_parser::{Event, Parser};
use std::sync::Arc;

/// The tree of a file. It also answers where in the file a value stands.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    root: Arc<Node>,
}

impl Document {
    /// Reads a text. What is wrong is reported; without a tree it was too broken to go on.
    pub(crate) fn read(text: &str, log: &mut Reporter) -> Option<Self> {
        match parse(text.strip_prefix('\u{feff}').unwrap_or(text), log) {
            Ok(root) => Some(Self { root }),
            Err(diagnostic) => {
                log.report(*diagnostic);
                None
            }
        }
    }

    /// The outermost node.
    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    /// The node under a path of keys and of indices into lists.
    pub(crate) fn find(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(&*self.root, |node, key| node.child(key).map(|(_, child)| child))
    }

    /// The keys of the mapping under a path, also those whose values are wrong.
    pub(crate) fn keys(&self, path: &[&str]) -> impl Iterator<Item = &str> {
        self.find(path).into_iter().flat_map(Node::entries).map(|entry| entry.key.as_str())
    }

    /// Whether there is a key, even if its value is wrong.
    pub(crate) fn has(&self, path: &[&str]) -> bool {
        self.find(path).is_some()
    }

    /// Where the last key of a path stands; where its nearest existing parent stands if it does
    /// not exist, as with a value by default.
    pub(crate) fn key_span(&self, path: &[&str]) -> Span {
        let mut node = &*self.root;
        let mut span = Span::START;
        for key in path {
            let Some((key_span, child)) = node.child(key) else { break };
            span = key_span;
            node = child;
        }
        span
    }

    /// Where the value under a path stands; see [`Document::key_span`] for one that does not exist.
    pub(crate) fn value_span(&self, path: &[&str]) -> Span {
        self.find(path).map_or_else(|| self.key_span(path), |node| node.span)
    }
}

fn parse(text: &str, log: &mut Reporter) -> Result<Arc<Node>, Box<Diagnostic>> {
    if text.len() > FILE_MAX {
        let message = format!("the file has more than {} KiB", FILE_MAX / 1024);
        return Err(Box::new(log.diagnose(Span::START, message)));
    }
    let mut builder = Builder::new(log);
    let mut documents = 0;
    for step in Parser::new_from_str(text) {
        let (event, span) = step.map_err(|error| syntax::explain(&error, text, builder.log()))?;
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                let span = position::span(span);
                return Err(builder.fatal(span, "a second document begins; a file holds one"));
            }
        }
        builder.take(event, span)?;
    }
    builder.finish()
}
