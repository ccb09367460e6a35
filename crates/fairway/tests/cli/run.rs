//! `fairway run`.

use crate::{outcome::assert_outcome, world::World};
use std::{fs, process::Command};

#[test]
fn a_green_run_of_a_clean_revision_makes_a_release() {
    let world = World::new();
    assert_outcome!(world.fairway(&["run", "hello"]).settled(), @r"
    exit 0
    --- stdout
    SERVICE  RUN  OUTCOME  RAN  CACHED  RELEASE  TIME
    hello  1  passed  2  0  hello@1  [TIME]
    --- stderr
    hello/build: passed
    hello/unit: passed
    hello: passed in [TIME]
    hello: run 1 of [COMMIT]
    ");
}

#[test]
fn without_names_all_services_run() {
    let world = World::new();
    let outcome = world.fairway(&["run"]).settled().passed();
    for line in ["greeter/contract: passed", "hello/unit: passed", "greeter/contract | one"] {
        assert!(outcome.stderr.lines().any(|known| known == line), "{line} in {outcome}");
    }
    for release in ["greeter@1", "hello@1"] {
        assert!(outcome.stdout.contains(release), "{outcome}");
    }
}

#[test]
fn changes_that_are_not_committed_make_no_release() {
    let world = World::new();
    world.write("services/hello/version.txt", "two\n");
    assert_outcome!(world.fairway(&["run", "hello"]).settled(), @r"
    exit 0
    --- stdout
    SERVICE  RUN  OUTCOME  RAN  CACHED  RELEASE  TIME
    hello  1  passed  2  0  -  [TIME]
    --- stderr
    hello/build: passed
    hello/unit: passed
    hello: passed in [TIME]
    hello: run 1 of [COMMIT]+
    note: no release of `hello`: it has changes that are not committed
    ");
}

#[test]
fn a_part_of_a_pipeline_makes_no_release() {
    let world = World::new();
    assert_outcome!(world.fairway(&["run", "hello", "--stage", "build"]).settled(), @r"
    exit 0
    --- stdout
    SERVICE  RUN  OUTCOME  RAN  CACHED  RELEASE  TIME
    hello  1  passed  1  0  -  [TIME]
    --- stderr
    hello/build: passed
    hello: passed in [TIME]
    hello: run 1 of [COMMIT]
    ");
}

#[test]
fn a_service_is_not_run_again_in_another_checkout() {
    let world = World::new();
    world.fairway(&["run", "greeter"]).passed();
    let copy = world.dir().join("elsewhere/copy");
    fs::create_dir(copy.parent().unwrap()).unwrap();
    assert!(Command::new("cp").arg("-r").args([world.fleet(), copy]).status().unwrap().success());
    let outcome = world.fairway(&["-C", "../elsewhere/copy", "run", "greeter"]);
    assert_outcome!(outcome.settled(), @r"
    exit 0
    --- stdout
    SERVICE  RUN  OUTCOME  RAN  CACHED  RELEASE  TIME
    greeter  3  passed  0  2  greeter@1  [TIME]
    --- stderr
    greeter/build: cached from run 1
    greeter/contract: cached from run 1
    greeter: passed in [TIME]
    greeter: run 3 of [COMMIT]
    ");
}

#[test]
fn a_failing_step_is_named_and_ends_the_run() {
    let world = World::new();
    world.write(
        "services/hello/fairway.yaml",
        "service: hello\nport: 8080\npipeline:\n  stages:\n    unit:\n      steps:\n        \
         - 'true'\n        - echo about to fail; false\n    after:\n      needs: [unit]\n      \
         steps: ['true']\n",
    );
    assert_outcome!(world.fairway(&["run", "hello"]).settled(), @r"
    exit 1
    --- stdout
    SERVICE  RUN  OUTCOME  RAN  CACHED  RELEASE  TIME
    hello  1  failed  2  0  -  [TIME]
    --- stderr
    hello/after: skipped as `unit` failed
    hello/build: passed
    hello/unit | about to fail
    hello/unit: failed: step 2 exited with 1
    hello: failed in [TIME]
    hello: run 1 of [COMMIT]+
    ");
}

#[test]
fn a_command_runs_beside_the_neighbours_and_gives_its_code() {
    let world = World::new();
    let script = "wget -q -O - http://hello:8080/; exit 7";
    let outcome = world.fairway(&["run", "greeter", "--", "sh", "-c", script]);
    assert_eq!(outcome.code, 7, "{outcome}");
    assert_eq!(outcome.stdout, "one\n", "{outcome}");
}

#[test]
fn a_command_takes_the_place_of_a_stages_steps() {
    let world = World::new();
    let arguments = ["run", "hello", "--stage", "unit", "--", "cat", "version.txt"];
    assert_outcome!(world.fairway(&arguments).settled(), @r"
    exit 0
    --- stdout
    one
    --- stderr
    hello/build: passed
    hello/unit: passed
    hello: passed in [TIME]
    hello: run 1 of [COMMIT]
    ");
}

#[test]
fn programs_get_an_object_per_event() {
    let world = World::new();
    let outcome = world.fairway(&["run", "hello", "--output", "json"]).passed();
    let events: Vec<serde_json::Value> =
        outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.len() > 3, "{outcome}");
    assert!(events.iter().all(|event| event["service"] == "hello"), "{outcome}");
}

#[test]
fn names_that_are_not_there_are_wrong_usage() {
    let world = World::new();
    assert_outcome!(world.fairway(&["run", "nobody"]), @r"
    exit 2
    --- stderr
    error: the fleet has no service `nobody`
      hint: it has `greeter`, `hello`
    ");
    assert_outcome!(world.fairway(&["run", "hello", "--stage", "nothing"]), @r"
    exit 2
    --- stderr
    error: could not run the pipeline of `hello`
      caused by: `hello` has no stage `nothing`; it has `build`, `unit`
    ");
}
