//! Mistakes in a fleet that show when its pipelines run: each is named as what it is.

use crate::{outcome::assert_outcome, world::World};

#[test]
fn a_base_image_that_is_not_there_is_named() {
    let world = World::new();
    world.write("services/hello/Dockerfile", "FROM busibox\nCMD [\"true\"]\n");
    assert_outcome!(world.fairway(&["run", "hello", "--stage", "build"]).terse(), @r"
    exit 1
    --- stdout
    SERVICE  RUN  OUTCOME  RAN  CACHED  RELEASE  TIME
    hello  1  failed  1  0  -  [TIME]
    --- stderr
    hello: run 1 of [COMMIT]+
    hello/build: failed: could not build the image of `hello`
      caused by: image `busibox:latest` is not here
       --> services/hello/Dockerfile:1:6
        |
      1 | FROM busibox
        |      ^^^^^^^
      hint: add `busibox:latest` to `bases` in `fleet.yaml`; there are `busybox:latest`
    hello: failed in [TIME]
    ");
}

#[test]
fn an_error_in_a_dockerfile_is_pointed_at() {
    let world = World::new();
    world.write("services/hello/Dockerfile", "FROM busybox\nCOPPY . /www/\nRUN [\"true\"\n");
    assert_outcome!(world.fairway(&["run", "hello", "--stage", "build"]), @r"
    exit 1
    --- stdout
    SERVICE  RUN  OUTCOME  RAN  CACHED  RELEASE  TIME
    hello  1  failed  1  0  -  [TIME]
    --- stderr
    hello: run 1 of [COMMIT]+
    hello/build: failed: could not build the image of `hello`
      caused by: unknown instruction `COPPY` in `services/hello/Dockerfile` on line 2
       --> services/hello/Dockerfile:2:1
        |
      2 | COPPY . /www/
        | ^^^^^ did you mean `COPY`?
    hello: failed in [TIME]
    ");
}

#[test]
fn a_command_that_fails_in_a_dockerfile_is_pointed_at() {
    let world = World::new();
    world.write("services/hello/Dockerfile", "FROM busybox\nRUN cat /nothing\n");
    assert_outcome!(world.fairway(&["run", "hello", "--stage", "build"]).terse(), @r"
    exit 1
    --- stdout
    SERVICE  RUN  OUTCOME  RAN  CACHED  RELEASE  TIME
    hello  1  failed  1  0  -  [TIME]
    --- stderr
    hello: run 1 of [COMMIT]+
    hello/build | cat: can't open '/nothing': No such file or directory
    hello/build: failed: could not build the image of `hello`
      caused by: `RUN cat /nothing` exited with 1
       --> services/hello/Dockerfile:2:1
        |
      2 | RUN cat /nothing
        | ^^^^^^^^^^^^^^^^
    hello: failed in [TIME]
    ");
}

#[test]
fn a_neighbour_that_never_gets_ready_shows_its_last_lines() {
    let world = World::new();
    world.write(
        "services/hello/fairway.yaml",
        "service: hello\npipeline:\n  stages:\n    unit:\n      image: busybox\n      uses:\n        \
         - db:\n            image: busybox\n            \
           command: [sh, -c, 'echo no disk for me; sleep 1000']\n            port: 5432\n            \
           ready: { tcp: 5432, deadline: 1s }\n      steps: ['true']\n",
    );
    world.write("services/greeter/fairway.yaml", "service: greeter\n");
    assert_outcome!(world.fairway(&["run", "hello", "--stage", "unit"]).terse(), @r"
    exit 1
    --- stdout
    SERVICE  RUN  OUTCOME  RAN  CACHED  RELEASE  TIME
    hello  1  failed  1  0  -  [TIME]
    --- stderr
    hello: run 1 of [COMMIT]+
    hello/unit | db.unit.hello | no disk for me
    hello/unit: failed: neighbour `db.unit.hello` did not get ready: port 5432 does not accept: Connection refused (os error 111)
      │ no disk for me
    hello: failed in [TIME]
    ");
}

#[test]
fn limits_that_a_stage_reaches_are_told_apart() {
    let world = World::new();
    world.write(
        "services/hello/fairway.yaml",
        "service: hello
pipeline:
  image: busybox
  stages:
    memory: { resources: { memory: 32Mi }, steps: [tail -c 200000000 /dev/zero > /dev/null] }
    processes:
      resources: { pids: 64 }
      steps: ['i=0; while [ $i -lt 100000 ]; do sleep 1000 & i=$((i+1)); done 2>/dev/null']
    stubborn: { timeout: 1s, steps: [\"trap '' TERM; (trap '' TERM; sleep 1000) & sleep 1000\"] }
",
    );
    world.write("services/greeter/fairway.yaml", "service: greeter\n");
    for (stage, text) in [
        ("memory", "hello/memory: failed: it needed more memory than its limit of 32Mi"),
        ("processes", "hello/processes: failed: it reached its limit of 64 processes"),
        ("stubborn", "hello/stubborn: failed: it took longer than 1s"),
    ] {
        let outcome = world.fairway(&["run", "hello", "--stage", stage]);
        assert_eq!(outcome.code, 1, "{outcome}");
        assert!(outcome.stderr.contains(text), "{outcome}");
    }
}
