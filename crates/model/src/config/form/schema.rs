//! The part of JSON Schema (draft 2020-12) that the forms need.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

/// A JSON Schema, written with its keys in this order.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Schema {
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub(crate) dialect: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Vec::is_empty", serialize_with = "one_or_all")]
    pub(crate) kinds: Vec<&'static str>,
    #[serde(rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub(crate) words: Vec<&'static str>,
    #[serde(rename = "const", skip_serializing_if = "Option::is_none")]
    pub(crate) constant: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pattern: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) minimum: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) maximum: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) items: Option<Box<Schema>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_items: Option<usize>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unique_items: bool,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    pub(crate) properties: Ordered<Schema>,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    pub(crate) pattern_properties: Ordered<Anything>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) property_names: Option<Box<Schema>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) additional_properties: Option<Additional>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_properties: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_properties: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) required: Vec<&'static str>,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    pub(crate) dependent_required: Ordered<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) one_of: Vec<Schema>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) any_of: Vec<Schema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<Value>,
    #[serde(rename = "$defs", skip_serializing_if = "Ordered::is_empty")]
    pub(crate) definitions: Ordered<Schema>,
}

/// Entries of an object in the order in which they were added.
#[derive(Debug, Clone)]
pub(crate) struct Ordered<V>(pub(crate) Vec<(String, V)>);

/// A schema that anything matches.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Anything {}

/// What other keys an object has.
#[derive(Debug, Clone)]
pub(crate) enum Additional {
    None,
    Each(Box<Schema>),
}

/// The schemas that are referred to by name.
#[derive(Debug, Default)]
pub(crate) struct Definitions(Vec<(String, Schema)>);

impl Schema {
    /// A schema of values of one JSON type.
    pub(crate) fn of(kind: &'static str) -> Self {
        Self { kinds: vec![kind], ..Self::default() }
    }

    /// A schema of text that matches a pattern.
    pub(crate) fn text(pattern: &'static str) -> Self {
        Self { pattern: Some(pattern), ..Self::of("string") }
    }

    /// A schema of text whose source text counts, even where it looks like a number or boolean.
    pub(crate) fn source_text() -> Self {
        Self { kinds: vec!["string", "number", "boolean"], ..Self::default() }
    }

    /// A schema that matches what any of some schemas match.
    pub(crate) fn any(any_of: Vec<Schema>) -> Self {
        Self { any_of, ..Self::default() }
    }

    /// A schema of lists.
    pub(crate) fn list(items: Schema) -> Self {
        Self { items: Some(Box::new(items)), ..Self::of("array") }
    }

    /// A schema of objects with any keys of a kind and values of a kind.
    pub(crate) fn map(keys: Schema, values: Schema) -> Self {
        Self {
            property_names: Some(Box::new(keys)),
            additional_properties: Some(Additional::Each(Box::new(values))),
            ..Self::of("object")
        }
    }

    /// The same schema with a description.
    pub(crate) fn about(self, description: &str) -> Self {
        Self { description: Some(description.to_owned()), ..self }
    }
}

impl Definitions {
    /// A reference to a definition, which is made on first use.
    pub(crate) fn refer(&mut self, name: &str, define: impl FnOnce(&mut Self) -> Schema) -> Schema {
        if !self.0.iter().any(|(known, _)| known == name) {
            let place = self.0.len();
            self.0.push((name.to_owned(), Schema::default()));
            self.0[place].1 = define(self);
        }
        Schema { reference: Some(format!("#/$defs/{name}")), ..Schema::default() }
    }

    /// The definitions in order of first use.
    pub(crate) fn finish(self) -> Ordered<Schema> {
        Ordered(self.0)
    }
}

impl<V> Ordered<V> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V: Serialize> Serialize for Ordered<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl Serialize for Additional {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_bool(false),
            Self::Each(schema) => schema.serialize(serializer),
        }
    }
}

fn one_or_all<S: Serializer>(kinds: &[&str], serializer: S) -> Result<S::Ok, S::Error> {
    match kinds {
        [kind] => serializer.serialize_str(kind),
        kinds => kinds.serialize(serializer),
    }
}
