//! Reads the keys of one mapping.

use super::key::EXTENSION;
use super::{Form, Keys, Presence};
use crate::config::reporter::Reporter;
use crate::config::yaml::{Kind, Node};
use crate::{Span, closest};

/// The keys of one mapping, to be read one by one.
pub(crate) struct Fields<'n, 'l, 't> {
    node: &'n Node,
    keys: &'static Keys,
    log: &'l mut Reporter<'t>,
    /// Keys that a misspelt one was probably meant to be, so that they are not missed as well.
    meant: Vec<&'static str>,
}

impl<'n, 'l, 't> Fields<'n, 'l, 't> {
    /// Opens a mapping and reports keys that it does not know or that exclude each other.
    pub(crate) fn open(
        node: &'n Node,
        keys: &'static Keys,
        log: &'l mut Reporter<'t>,
    ) -> Option<Self> {
        if !matches!(node.kind, Kind::Mapping(_)) {
            let wrong = format!("expected a mapping, found {}", node.describe());
            let known = keys.names().next().unwrap_or_default();
            log.report(log.diagnose(node.owner, wrong).label(format!("such as `{known}: …`")));
            return None;
        }
        let mut fields = Self { node, keys, log, meant: Vec::new() };
        fields.check_known();
        fields.check_one_of();
        fields.check_company();
        Some(fields)
    }

    /// Reads a key that must be there.
    pub(crate) fn required<F: Form>(&mut self, key: &'static str) -> Option<F::Value> {
        if let Some(entry) = self.node.entry(key) {
            return F::read(&entry.value, self.log);
        }
        if !self.meant.contains(&key) {
            self.log.error(self.node.owner, format!("key `{key}` is missing"));
        }
        None
    }

    /// Reads a key that may be there. One that cannot be read was reported, so nothing comes of
    /// the whole; it counts as absent to let the reading go on.
    pub(crate) fn optional<F: Form>(&mut self, key: &'static str) -> Option<F::Value> {
        self.node.entry(key).and_then(|entry| F::read(&entry.value, self.log))
    }

    /// Reads a key, or its default; see [`Fields::optional`] for one that cannot be read.
    pub(crate) fn default<F: Form>(&mut self, key: &'static str) -> Option<F::Value> {
        if let Some(value) = self.optional::<F>(key) {
            return Some(value);
        }
        match self.keys.get(key)?.presence {
            Presence::Default(text) => F::read(&Node::of_default(text), self.log),
            Presence::Required | Presence::Optional => None,
        }
    }

    fn check_known(&mut self) {
        for entry in self.node.entries() {
            let key = entry.key.as_str();
            if self.keys.get(key).is_some() || key.starts_with(EXTENSION) {
                continue;
            }
            if self.log.is_full() {
                return;
            }
            let meant = closest(key, self.keys.names());
            self.meant.extend(self.keys.names().filter(|name| Some(*name) == meant));
            let unknown = self.log.diagnose(entry.key_span, format!("unknown key `{key}`"));
            let known = self.keys.names().collect::<Vec<_>>().join("`, `");
            self.log.report(unknown.label(format!("known are `{known}`")).suggest(meant));
        }
    }

    fn check_one_of(&mut self) {
        let alternatives = self.keys.one_of;
        let found: Vec<(&str, Span)> = self
            .node
            .entries()
            .iter()
            .filter(|entry| alternatives.contains(&entry.key.as_str()))
            .map(|entry| (entry.key.as_str(), entry.key_span))
            .collect();
        match found.as_slice() {
            [] if !alternatives.iter().any(|name| self.meant.contains(name)) => {
                if alternatives.is_empty() {
                    return;
                }
                let list = list_or(alternatives);
                self.log.error(self.node.owner, format!("one of {list} is missing"));
            }
            [(first, _), others @ ..] => {
                for (other, span) in others {
                    self.log.error(*span, format!("`{other}` and `{first}` exclude each other"));
                }
            }
            [] => {}
        }
    }

    fn check_company(&mut self) {
        for entry in self.node.entries() {
            let Some(with) = self.keys.get(&entry.key).and_then(|key| key.with) else { continue };
            if self.node.entry(with).is_none() {
                let message = format!("`{}` has a meaning only beside `{with}`", entry.key);
                self.log.error(entry.key_span, message);
            }
        }
    }
}

/// `a`, `b` or `c`.
fn list_or(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [init @ .., last] => format!("`{}` or `{last}`", init.join("`, `")),
    }
}
