//! `fairway check`.

use crate::{outcome::assert_outcome, world::World};

#[test]
fn a_fleet_without_errors_is_counted() {
    let world = World::new();
    assert_outcome!(world.fairway(&["check"]), @r"
    exit 0
    --- stderr
    fleet `tiny`: 2 services, no errors
    ");
    assert_outcome!(world.fairway(&["check", "--output", "json"]), @r"
    exit 0
    --- stdout
    []
    ");
}

#[test]
fn a_fleet_is_found_from_any_folder_in_it() {
    let world = World::new();
    assert_outcome!(world.fairway(&["-C", "services/hello", "check"]), @r"
    exit 0
    --- stderr
    fleet `tiny`: 2 services, no errors
    ");
}

#[test]
fn every_error_of_every_file_comes_at_once() {
    let world = World::new();
    world.write("fleet.yaml", "fleet: tiny\nservices: [services/*]\nenvironment: {}\n");
    world.write(
        "services/hello/fairway.yaml",
        "service: hello\nprot: 8080\nready: { http: healthz }\nuses: { friend: { service: nobody } }\n",
    );
    world.write(
        "services/greeter/fairway.yaml",
        "service: greeter\npipeline:\n  stages:\n    a: { needs: [b], steps: ['true'] }\n    \
         b: { needs: [a], steps: ['true'] }\n",
    );
    assert_outcome!(world.fairway(&["check"]), @r"
    exit 2
    --- stderr
    error: unknown key `environment`
     --> fleet.yaml:3:1
      |
    3 | environment: {}
      | ^^^^^^^^^^^ did you mean `environments`?

    error: stages wait for each other: `a` -> `b` -> `a`
     --> services/greeter/fairway.yaml:4:10
      |
    4 |     a: { needs: [b], steps: ['true'] }
      |          ^^^^^

    error: unknown key `prot`
     --> services/hello/fairway.yaml:2:1
      |
    2 | prot: 8080
      | ^^^^ did you mean `port`?

    error: `healthz` is not a path
     --> services/hello/fairway.yaml:3:16
      |
    3 | ready: { http: healthz }
      |                ^^^^^^^ write an absolute path such as `/healthz`

    error: there is no service `nobody` in the fleet
     --> services/hello/fairway.yaml:4:28
      |
    4 | uses: { friend: { service: nobody } }
      |                            ^^^^^^
    ");
}

#[test]
fn programs_get_errors_as_json() {
    let world = World::new();
    world.write("services/hello/fairway.yaml", "service: hello\nprot: 8080\n");
    assert_outcome!(world.fairway(&["check", "--output", "json"]), @r#"
    exit 2
    --- stdout
    [{"path":"services/greeter/fairway.yaml","line":5,"column":21,"length":5,"message":"service `hello` has no `port`","label":"so it cannot be reached"},{"path":"services/hello/fairway.yaml","line":2,"column":1,"length":4,"message":"unknown key `prot`","label":"known are `service`, `build`, `inputs`, `port`, `ready`, `resources`, `env`, `uses`, `routes`, `replicas`, `environments`, `pipeline`","suggestion":"port"}]
    "#);
}

#[test]
fn a_folder_without_a_fleet_is_told_what_to_write() {
    let world = World::empty();
    assert_outcome!(world.fairway(&["check"]), @r"
    exit 2
    --- stderr
    error: no `fleet.yaml` in `[DIR]/fleet` or above it
      hint: write one that says where the services are: `{ fleet: shop, services: [services/*] }`
    ");
}
