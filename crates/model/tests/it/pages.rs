//! The pages about both files: their examples are right and they name every key.

use fairway_model::config::{Fleet, Service, fleet_schema, service_schema};
use fairway_model::{Colour, render_all};
use serde_json::Value;
use std::collections::BTreeSet;

const FLEET: &str = include_str!("../../../../docs/config/fleet.md");
const SERVICE: &str = include_str!("../../../../docs/config/fairway.md");

/// The YAML blocks of a page.
fn examples(page: &str) -> Vec<&str> {
    page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or(rest)).collect()
}

/// The names of all properties in a schema.
fn keys(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                found.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| keys(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn assert_names_every_key(page: &str, schema: &str) {
    let schema = serde_json::from_str(schema).expect("a schema is JSON");
    let mut found = BTreeSet::new();
    keys(&schema, &mut found);
    assert!(found.len() > 8, "{found:?}");
    for key in found {
        assert!(page.contains(&format!("`{key}`")), "`{key}` is not on the page");
    }
}

#[test]
fn every_example_of_a_service_is_right() {
    let examples = examples(SERVICE);
    assert!(examples.len() > 10);
    for text in examples {
        let found = Service::decode("fairway.yaml", text).err().unwrap_or_default();
        assert!(found.is_empty(), "{text}\n{}", render_all(&found, Colour::Off));
    }
}

#[test]
fn every_example_of_a_fleet_is_right() {
    let examples = examples(FLEET);
    assert!(examples.len() > 2);
    for text in examples {
        let found = Fleet::decode("fleet.yaml", text).err().unwrap_or_default();
        assert!(found.is_empty(), "{text}\n{}", render_all(&found, Colour::Off));
    }
}

#[test]
fn every_key_is_on_its_page() {
    assert_names_every_key(FLEET, &fleet_schema());
    assert_names_every_key(SERVICE, &service_schema());
}
