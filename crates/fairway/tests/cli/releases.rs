//! `fairway releases`.

use crate::{outcome::assert_outcome, world::World};

#[test]
fn releases_are_listed_with_where_they_are_live() {
    let world = World::new();
    assert_outcome!(world.fairway(&["releases"]), @r"
    exit 0
    --- stderr
    there are no releases yet; a green `fairway run` of a clean commit makes them
    ");
    world.fairway(&["run", "hello"]).passed();
    world.fairway(&["promote", "hello", "staging"]).passed();
    world.write("services/hello/version.txt", "two\n");
    world.commit();
    world.fairway(&["run", "hello"]).passed();
    assert_outcome!(world.fairway(&["releases"]), @r"
    exit 0
    --- stdout
    RELEASE  REVISION  IMAGE  RUN  MADE  TESTS  LIVE IN
    hello@2  [COMMIT]  [DIGEST]  2  [TIME] ago  0  -
    hello@1  [COMMIT]  [DIGEST]  1  [TIME] ago  0  staging
    ");
    assert_outcome!(world.fairway(&["releases", "hello", "-n", "1", "--output", "json"]), @r#"
    exit 0
    --- stdout
    [{"release":"hello@2","service":"hello","revision":{"commit":"[COMMIT]","tree":"sha256:[DIGEST]","state":"clean"},"image":"sha256:[DIGEST]","run":2,"made":"[MOMENT]","tests":0,"live":[]}]
    "#);
    assert_outcome!(world.fairway(&["releases", "greeter"]), @r"
    exit 0
    --- stderr
    there are no releases yet; a green `fairway run` of a clean commit makes them
    ");
}
