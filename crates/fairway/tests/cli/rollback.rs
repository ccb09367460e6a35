//! `fairway rollback`.

use crate::{outcome::assert_outcome, web::get, world::World};

#[test]
fn what_was_live_before_is_live_again() {
    let world = World::new();
    world.fairway(&["run", "hello"]).passed();
    world.fairway(&["promote", "hello", "staging"]).passed();
    assert_outcome!(world.fairway(&["rollback", "hello", "staging"]), @r"
    exit 1
    --- stderr
    error: no other release of `hello` was live in `staging`
    ");
    world.write("services/hello/version.txt", "two\n");
    world.commit();
    world.fairway(&["run", "hello"]).passed();
    let live = world.fairway(&["promote", "hello", "staging", "--output", "json"]).passed().json();
    let page = format!("{}/hello/version.txt", live["gateway"].as_str().unwrap());
    assert_eq!(get(&page), (200, "two\n".to_owned()));
    assert_outcome!(world.fairway(&["rollback", "hello", "staging"]), @r"
    exit 0
    --- stderr
    hello@1 is live in staging, at http://127.0.0.1:[PORT] ([TIME])
    ");
    assert_eq!(get(&page), (200, "one\n".to_owned()));
    world.fairway(&["rollback", "hello", "staging"]).passed();
    assert_eq!(get(&page), (200, "two\n".to_owned()));
}
