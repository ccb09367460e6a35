//! `fairway secret`.

use crate::{outcome::assert_outcome, world::World};
use std::fs;

#[test]
fn secrets_are_set_listed_and_removed() {
    let world = World::new();
    assert_outcome!(world.fairway_with(&["secret", "set", "staging", "token"], "s3cr3t\n"), @r"
    exit 0
    --- stderr
    secret `token` of `staging` has version 1
    ");
    assert_outcome!(world.fairway_with(&["secret", "set", "staging", "token"], "other"), @r"
    exit 0
    --- stderr
    secret `token` of `staging` has version 2
    ");
    assert_outcome!(world.fairway(&["secret", "set", "staging", "random", "--generate"]), @r"
    exit 0
    --- stderr
    secret `random` of `staging` has version 1
    ");
    assert_outcome!(world.fairway(&["secret", "list", "staging"]), @r"
    exit 0
    --- stdout
    SECRET  VERSION
    random  1
    token  2
    ");
    assert_outcome!(world.fairway(&["secret", "list", "staging", "--output", "json"]), @r#"
    exit 0
    --- stdout
    [{"name":"random","version":1},{"name":"token","version":2}]
    "#);
    assert_outcome!(world.fairway(&["secret", "remove", "staging", "token"]), @r"
    exit 0
    --- stderr
    secret `token` of `staging` is gone
    ");
    assert_outcome!(world.fairway(&["secret", "list", "staging"]), @r"
    exit 0
    --- stdout
    SECRET  VERSION
    random  1
    ");
}

#[test]
fn a_value_that_cannot_be_a_secret_is_refused() {
    let world = World::new();
    assert_outcome!(world.fairway(&["secret", "set", "staging", "token"]), @r"
    exit 2
    --- stderr
    error: the value cannot be a secret
      caused by: a secret's value cannot be empty
    ");
    assert_outcome!(world.fairway(&["secret", "set", "staging", "no name", "--generate"]), @r"
    exit 2
    --- stderr
    error: invalid value 'no name' for '<NAME>': ` ` is not allowed in this name; use lower-case letters, digits and `_`, starting with a letter

    For more information, try '--help'.
    ");
}

#[test]
fn one_that_is_not_there_cannot_be_removed() {
    let world = World::new();
    assert_outcome!(world.fairway(&["secret", "remove", "staging", "nothing"]), @r"
    exit 1
    --- stderr
    error: `staging` has no secret `nothing`
    ");
}

#[test]
fn the_value_is_nowhere_in_the_data_directory() {
    let world = World::new();
    let value = "correct horse battery staple";
    world.fairway_with(&["secret", "set", "staging", "token"], value).passed();
    let mut folders = vec![world.home().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let found = bytes.windows(value.len()).any(|window| window == value.as_bytes());
            assert!(!found, "in {}", path.display());
        }
    }
}
