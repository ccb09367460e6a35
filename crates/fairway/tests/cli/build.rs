//! `fairway build`.

use crate::{outcome::assert_outcome, world::World};

#[test]
fn images_are_built_and_known_the_next_time() {
    let world = World::new();
    assert_outcome!(world.fairway(&["build", "hello"]).terse(), @r"
    exit 0
    --- stdout
    SERVICE  IMAGE  OUTCOME  TIME
    hello  [DIGEST]  built  [TIME]
    --- stderr
    hello: run 1 of [COMMIT]
    hello/build: passed
    hello: passed in [TIME]
    ");
    assert_outcome!(world.fairway(&["build", "hello", "--output", "json"]).terse(), @r#"
    exit 0
    --- stdout
    [{"failure":null,"image":"sha256:[DIGEST]","milliseconds":"[TIME]","outcome":"cached","run":2,"service":"hello"}]
    --- stderr
    hello: run 2 of [COMMIT]
    hello/build: cached from run 1
    hello: passed in [TIME]
    "#);
    let all = world.fairway(&["build"]).passed();
    assert!(all.stdout.contains("greeter"), "{all}");
}

#[test]
fn what_cannot_be_built_is_told() {
    let world = World::new();
    world.write("services/hello/Dockerfile", "FROM busybox\nCOPY nothing.txt /www/\n");
    assert_outcome!(world.fairway(&["build", "hello"]).terse(), @r"
    exit 1
    --- stdout
    SERVICE  IMAGE  OUTCOME  TIME
    hello  -  failed  [TIME]
    --- stderr
    hello: run 1 of [COMMIT]+
    hello/build: failed: could not build the image of `hello`
      caused by: `nothing.txt` is not in the build context in `services/hello/Dockerfile` on line 2
       --> services/hello/Dockerfile:2:6
        |
      2 | COPY nothing.txt /www/
        |      ^^^^^^^^^^^ paths are relative to the build context
    hello: failed in [TIME]
    ");
    assert_outcome!(world.fairway(&["build", "nobody"]), @r"
    exit 2
    --- stderr
    error: the fleet has no service `nobody`
      hint: it has `greeter`, `hello`
    ");
}
