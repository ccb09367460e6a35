//! The Python library `eventsourcing` keeps its events in a ledger: its own test cases for recorders.

use crate::{
    packages::python_with,
    world::{FAIRWAY, World},
};

const PACKAGE: &str = "eventsourcing[crypto]==9.5.6";

#[test]
fn the_test_cases_for_recorders_of_eventsourcing_pass() {
    let world = World::empty();
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/eventsourcing");
    let mut python = world.command(python_with(PACKAGE).to_str().unwrap());
    python.args(["-B", "-m", "unittest", "-v", "test_recorders"]).current_dir(tests);
    let output = python.env("FAIRWAY", FAIRWAY).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("test_insert_subscribe"), "{said}");
    assert!(!said.contains("skipped"), "{said}");
}
