//! The keys of a mapping, as data.

use super::schema::{Additional, Anything, Ordered};
use super::{Definitions, Schema, plain};

/// Keys that no record knows and every record allows start with this.
pub(crate) const EXTENSION: &str = "x-";

/// The keys of one kind of mapping.
pub(crate) struct Keys {
    /// The name of its definition in schemas.
    pub(crate) name: &'static str,
    /// What it is, line by line.
    pub(crate) about: &'static [&'static str],
    /// Keys of which exactly one is there; none if empty.
    pub(crate) one_of: &'static [&'static str],
    /// The keys in the order in which they are documented.
    pub(crate) all: &'static [Key],
}

/// One key.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// What it is for, line by line.
    pub(crate) about: &'static [&'static str],
    pub(crate) presence: Presence,
    /// The key without which this one has no meaning.
    pub(crate) with: Option<&'static str>,
    pub(crate) schema: fn(&mut Definitions) -> Schema,
}

/// What it means that a key is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// An error.
    Required,
    /// Nothing.
    Optional,
    /// The same as this text.
    Default(&'static str),
}

impl Keys {
    /// The key of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&Key> {
        self.all.iter().find(|key| key.name == name)
    }

    /// The names of the keys.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.all.iter().map(|key| key.name)
    }

    /// The schema of the mapping.
    pub(crate) fn schema(&self, definitions: &mut Definitions) -> Schema {
        let mut schema = Schema {
            description: Some(prose(self.about)),
            additional_properties: Some(Additional::None),
            pattern_properties: Ordered(vec![(format!("^{EXTENSION}"), Anything {})]),
            ..Schema::of("object")
        };
        for key in self.all {
            schema.properties.0.push((key.name.to_owned(), key.schema(definitions)));
            match key.presence {
                Presence::Required => schema.required.push(key.name),
                Presence::Optional | Presence::Default(_) => {}
            }
            if let Some(with) = key.with {
                schema.dependent_required.0.push((key.name.to_owned(), vec![with]));
            }
        }
        let one = |name: &&'static str| Schema { required: vec![*name], ..Schema::default() };
        schema.one_of = self.one_of.iter().map(one).collect();
        schema
    }
}

impl Key {
    fn schema(&self, definitions: &mut Definitions) -> Schema {
        let mut schema = (self.schema)(definitions).about(&prose(self.about));
        if let Presence::Default(text) = self.presence {
            schema.default = Some(plain(text));
        }
        schema
    }
}

/// The lines of a doc comment as one text.
fn prose(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}
