//! `fairway down`.

use crate::{outcome::assert_outcome, remains, web::get, world::World};

#[test]
fn an_environment_that_is_down_has_nothing_left_and_comes_back() {
    let world = World::new();
    world.fairway(&["run"]).passed();
    for service in ["hello", "greeter"] {
        world.fairway(&["promote", service, "staging"]).passed();
    }
    assert_outcome!(world.fairway(&["down", "staging"]), @r"
    exit 2
    --- stderr
    error: `down` asks first, and nobody is there to answer
      hint: add `--yes`
    ");
    assert_outcome!(world.fairway(&["down", "staging", "--yes"]), @r"
    exit 0
    --- stderr
    staging is down
    ");
    remains::assert_gone(world.home());
    assert_outcome!(world.fairway(&["down", "staging", "--yes"]), @r"
    exit 0
    --- stderr
    staging is not up
    ");
    let live = world.fairway(&["promote", "hello", "staging", "--output", "json"]).passed().json();
    let page = format!("{}/hello/version.txt", live["gateway"].as_str().unwrap());
    assert_eq!(get(&page), (200, "one\n".to_owned()));
}

#[test]
fn data_is_kept_unless_it_is_to_be_removed() {
    let world = World::new();
    let config = "service: hello\nport: 8080\nuses:\n  db:\n    image: busybox\n    data: /data\n    \
                  command: [sh, -c, 'trap exit TERM; sleep 1000 & wait']\n    port: 1\n    ready: { exec: ['true'] }\n";
    world.write("services/hello/fairway.yaml", config);
    world.commit();
    world.fairway(&["run", "hello"]).passed();
    let up = || world.fairway(&["promote", "hello", "staging"]).passed();
    let db =
        |script: &str| world.fairway(&["exec", "staging", "db.hello", "--", "sh", "-c", script]);
    up();
    db("echo kept > /data/file").passed();
    world.fairway(&["down", "staging", "--yes"]).passed();
    up();
    assert_eq!(db("cat /data/file").stdout, "kept\n");
    world.fairway(&["down", "staging", "--volumes", "--yes"]).passed();
    up();
    assert_eq!(db("ls /data").stdout, "");
}
