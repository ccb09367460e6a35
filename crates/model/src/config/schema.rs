//! The files as JSON Schemas, for editors.

use super::form::{Definitions, Record, Schema};
use super::{Fleet, ReadModel, Service};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The JSON Schema of `fleet.yaml`, as text.
pub fn fleet_schema() -> String {
    text::<Fleet>("fleet.yaml")
}

/// The JSON Schema of `fairway.yaml`, as text.
pub fn service_schema() -> String {
    text::<Service>("fairway.yaml")
}

/// The JSON Schema of a read model's declaration, as text.
pub fn read_model_schema() -> String {
    text::<ReadModel>("read model")
}

fn text<R: Record>(title: &str) -> String {
    let mut definitions = Definitions::default();
    let schema = R::KEYS.schema(&mut definitions);
    let schema = Schema {
        dialect: Some(DIALECT),
        title: Some(title.to_owned()),
        definitions: definitions.finish(),
        ..schema
    };
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema has only text keys");
    text.push('\n');
    text
}
