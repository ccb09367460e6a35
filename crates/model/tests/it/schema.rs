//! The JSON Schemas that are checked in are those of the code.

use expect_test::expect_file;
use fairway_model::config::{fleet_schema, read_model_schema, service_schema};

#[test]
fn the_schema_of_a_fleet_is_current() {
    expect_file!["../../../../docs/schema/fleet.schema.json"].assert_eq(&fleet_schema());
}

#[test]
fn the_schema_of_a_service_is_current() {
    expect_file!["../../../../docs/schema/fairway.schema.json"].assert_eq(&service_schema());
}

#[test]
fn the_schema_of_a_read_model_is_current() {
    let schema = read_model_schema();
    expect_file!["../../../../docs/schema/read-model.schema.json"].assert_eq(&schema);
}
