//! `fairway status`.

use crate::{outcome::assert_outcome, world::World};

#[test]
fn what_runs_where_is_shown() {
    let world = World::new();
    assert_outcome!(world.fairway(&["status"]), @r"
    exit 0
    --- stderr
    nothing was promoted yet; `fairway promote SERVICE ENVIRONMENT` does
    ");
    assert_outcome!(world.fairway(&["status", "staging"]), @r"
    exit 0
    --- stderr
    nothing was promoted to `staging` yet; `fairway promote SERVICE staging` does
    ");
    world.fairway(&["run"]).passed();
    world.fairway(&["promote", "hello", "staging"]).passed();
    world.fairway(&["promote", "greeter", "staging"]).passed();
    world.fairway(&["promote", "hello", "production"]).passed();
    assert_outcome!(world.fairway(&["status"]), @r"
    exit 0
    --- stdout
    production: http://127.0.0.1:[PORT]
    SERVICE  RELEASE  REVISION  IMAGE  READY  SINCE  NOTE
    hello  hello@1  [COMMIT]  [DIGEST]  1/1  [TIME] ago

    staging: http://127.0.0.1:[PORT]
    SERVICE  RELEASE  REVISION  IMAGE  READY  SINCE  NOTE
    greeter  greeter@1  [COMMIT]  [DIGEST]  1/1  [TIME] ago
    hello  hello@1  [COMMIT]  [DIGEST]  1/1  [TIME] ago
    ");
    assert_outcome!(world.fairway(&["status", "production", "--output", "json"]), @r#"
    exit 0
    --- stdout
    [{"environment":"production","is_up":true,"gateway":"http://127.0.0.1:[PORT]","services":[{"service":"hello","release":"hello@1","revision":"[COMMIT]","image":"sha256:[DIGEST]","since":"[MOMENT]","ready":1,"replicas":1,"wanted":null,"failure":null}]}]
    "#);
    world.fairway(&["down", "production", "--yes"]).passed();
    assert_outcome!(world.fairway(&["status", "production"]), @r"
    exit 0
    --- stdout
    production: down
    SERVICE  RELEASE  REVISION  IMAGE  READY  SINCE  NOTE
    hello  -  -  -  0/0
    ");
}
