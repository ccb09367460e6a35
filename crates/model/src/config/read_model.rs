//! A read model as a file declares it: which events it takes in, and what each does to its tables.

use super::Template;
use super::check::check_read_model;
use super::decode::decode;
use super::load::finish;
use super::reporter::Reporter;
use crate::{Diagnostic, ReadModelName, SourceText, Span};
use std::collections::BTreeMap;

/// Longest name of a read model in bytes; it becomes a part of names of files and schemas.
pub const READ_MODEL_NAME_MAX: usize = 40;

/// A read model: what follows a ledger, so that it can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadModel {
    /// Its name, unique per ledger.
    pub name: ReadModelName,
    /// Raised whenever the declaration changes.
    pub version: u32,
    /// Where it is kept.
    pub target: ReadModelTarget,
    /// Which events it takes in.
    pub from: EventSource,
    /// What waits behind an event that fails.
    pub key: EventKey,
    /// What makes its tables; none for a callback.
    pub tables: Option<Sql>,
    /// What an event of a kind does.
    pub on: BTreeMap<String, Vec<Sql>>,
    /// What can be asked, by name.
    pub queries: BTreeMap<String, Sql>,
}

/// Where a read model is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadModelTarget {
    /// In a SQLite file beside the ledger.
    Sqlite,
    /// In a database of PostgreSQL.
    Postgres(Template),
    /// By somebody who is told over HTTP.
    Callback(Template),
}

/// Which events a read model takes in. Within a list one text has to fit; all lists have to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventSource {
    /// Names of categories; none: all.
    pub categories: Vec<String>,
    /// How names of streams start; none: anyhow.
    pub streams: Vec<String>,
    /// How kinds start; none: anyhow.
    pub kinds: Vec<String>,
}

/// What events have in common that have to be taken in one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKey {
    /// Their stream.
    Stream,
    /// The value of a field of their data.
    Field(String),
}

/// SQL, and where it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql {
    /// The text.
    pub text: String,
    /// Where its value begins.
    pub span: Span,
}

impl ReadModel {
    /// Decodes a declaration. All that is wrong in it comes at once, in the order of the file. What
    /// only a database can know of its SQL is not checked.
    pub fn decode(path: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut log = Reporter::new(SourceText::new(path, text));
        let decoded = decode::<ReadModel>(text, &mut log);
        if let (Some(model), Some(document)) = (&decoded.value, &decoded.document) {
            check_read_model(model, document, &mut log);
        }
        finish(decoded.value, log.finish())
    }
}

impl Sql {
    /// Where `length` characters from a byte offset on stand in the file. Where the text was folded
    /// from several lines, that is where all of it begins.
    pub fn place(&self, source: &SourceText, offset: usize, length: u32) -> Span {
        let offset = self.text.floor_char_boundary(offset);
        let row = self.text[..offset].matches('\n').count();
        let start = self.text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        let column = self.text[start..offset].chars().count();
        let first = self.span.line;
        // The text of a block begins on a line after that of its `|`.
        let found = (first..=first + 2).find_map(|first| {
            let number = first.checked_add(u32::try_from(row).ok()?)?;
            let indent = source.line(number)?.find(line.trim_end())?;
            let is_first = self.text.lines().next().is_some_and(|one| {
                source.line(first).is_some_and(|line| line.contains(one.trim_end()))
            });
            is_first.then_some((number, source.line(number)?[..indent].chars().count()))
        });
        match found {
            Some((line, indent)) => {
                let column = u32::try_from(indent + column + 1).unwrap_or(u32::MAX);
                Span { line, column, length }
            }
            None => self.span,
        }
    }
}
