//! `fairway images`.

use crate::{outcome::assert_outcome, world::World};

#[test]
fn bases_releases_and_builds_are_listed() {
    let world = World::new();
    assert_outcome!(world.fairway(&["images"]), @r"
    exit 0
    --- stderr
    there are no images yet; `fairway build` builds those of a fleet
    ");
    world.write("services/greeter/version.txt", "another\n");
    world.commit();
    world.fairway(&["build", "greeter"]).passed();
    world.fairway(&["run", "hello"]).passed();
    let images = world.fairway(&["images", "--output", "json"]).passed().json();
    let rows = images.as_array().unwrap().iter();
    let rows: Vec<_> = rows.map(|row| format!("{} {}", row["name"], row["origin"])).collect();
    let expected = [r#""busybox:latest" "base""#, r#""hello@1" "release""#, r#""greeter" "build""#];
    assert_eq!(rows, expected, "{images}");
    let text = world.fairway(&["images"]).passed().stdout;
    assert_eq!(text.lines().count(), 4, "{text}");
}
