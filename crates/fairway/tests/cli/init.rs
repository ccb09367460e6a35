//! `fairway init`.

use crate::{outcome::assert_outcome, world::World};
use std::fs;

#[test]
fn a_folder_with_a_dockerfile_becomes_a_service_of_a_fleet() {
    let world = World::empty();
    world.write("Dockerfile", "FROM scratch\nEXPOSE 8080\n");
    assert_outcome!(world.fairway(&["init", "--name", "shop"]), @r"
    exit 0
    --- stderr
    wrote [DIR]/fleet/fairway.yaml
    wrote [DIR]/fleet/fleet.yaml
    next: look through it, then `fairway check` and `fairway run shop`
    ");
    assert_outcome!(world.fairway(&["check"]), @r"
    exit 0
    --- stderr
    fleet `fleet`: 1 service, no errors
    ");
    let before = fs::read_to_string(world.fleet().join("fairway.yaml")).unwrap();
    assert_outcome!(world.fairway(&["init", "--name", "other"]), @r"
    exit 2
    --- stderr
    error: `[DIR]/fleet/fairway.yaml` is there already
      hint: `fairway check` says whether it is right
    ");
    assert_eq!(fs::read_to_string(world.fleet().join("fairway.yaml")).unwrap(), before);
}

#[test]
fn a_service_of_a_fleet_that_is_there_joins_it() {
    let world = World::new();
    world.write("services/third/Dockerfile", "FROM busybox\nEXPOSE 8080\n");
    assert_outcome!(world.fairway(&["-C", "services/third", "init"]), @r"
    exit 0
    --- stderr
    wrote [DIR]/fleet/services/third/fairway.yaml
    next: look through it, then `fairway check` and `fairway run third`
    ");
    assert_outcome!(world.fairway(&["check"]), @r"
    exit 0
    --- stderr
    fleet `tiny`: 3 services, no errors
    ");
}

#[test]
fn a_folder_without_a_dockerfile_is_told_what_is_missing() {
    let world = World::empty();
    assert_outcome!(world.fairway(&["init"]), @r"
    exit 2
    --- stderr
    error: there is no `Dockerfile` in `[DIR]/fleet`
      hint: a service is built from one; write it first, or name the folder with `-C`
    ");
}
