//! `fairway runs`.

use crate::{outcome::assert_outcome, world::World};

#[test]
fn the_newest_run_comes_first() {
    let world = World::new();
    assert_outcome!(world.fairway(&["runs"]), @r"
    exit 0
    --- stderr
    nothing ran yet; `fairway run` runs the pipelines of a fleet
    ");
    world.fairway(&["run", "hello"]).passed();
    world.fairway(&["run", "hello"]).passed();
    world.fairway(&["run", "hello", "--", "false"]);
    assert_outcome!(world.fairway(&["runs"]), @r"
    exit 0
    --- stdout
    RUN  SERVICE  REVISION  STATE  STARTED  TIME  RAN  CACHED
    3  hello  [COMMIT]  failed  [TIME] ago  [TIME]  1  1
    2  hello  [COMMIT]  passed  [TIME] ago  [TIME]  0  2
    1  hello  [COMMIT]  passed  [TIME] ago  [TIME]  2  0
    ");
    assert_outcome!(world.fairway(&["runs", "--limit", "1", "--output", "json"]), @r#"
    exit 0
    --- stdout
    [{"run":3,"service":"hello","revision":{"commit":"[COMMIT]","tree":"sha256:[DIGEST]","state":"clean"},"state":"failed","started":"[MOMENT]","milliseconds":"[TIME]","stages":2,"ran":1,"cached":1}]
    "#);
    assert_outcome!(world.fairway(&["runs", "--limit", "0"]), @r"
    exit 2
    --- stderr
    error: invalid value '0' for '--limit <RUNS>': 0 is not in 1..=65535

    For more information, try '--help'.
    ");
}
