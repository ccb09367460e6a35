//! `fairway promote`.

use crate::{outcome::assert_outcome, web::get, world::World};

/// `hello` that never answers.
const BROKEN: &str = "\
FROM busybox
COPY version.txt /www/
CMD [\"sh\", \"-c\", \"echo cannot find my files; exit 3\"]
";

#[test]
fn a_release_goes_from_one_environment_to_the_next() {
    let world = World::new();
    world.fairway(&["run", "hello"]).passed();
    assert_outcome!(world.fairway(&["promote", "hello", "production"]), @r"
    exit 1
    --- stderr
    error: `hello` is not live in `staging`
      hint: promote it there first: `fairway promote hello staging`
    ");
    let staging = world.fairway(&["promote", "hello", "staging", "--output", "json"]);
    assert_outcome!(staging, @r#"
    exit 0
    --- stdout
    {"environment":"staging","gateway":"http://127.0.0.1:[PORT]","milliseconds":"[TIME]","release":"hello@1"}
    "#);
    let gateway = staging.json()["gateway"].as_str().unwrap().to_owned();
    assert_eq!(get(&format!("{gateway}/hello/version.txt")), (200, "one\n".to_owned()));
    assert_outcome!(world.fairway(&["promote", "hello", "production"]), @r"
    exit 0
    --- stderr
    hello@1 is live in production, at http://127.0.0.1:[PORT] ([TIME])
    ");
}

#[test]
fn what_does_not_get_ready_leaves_the_environment_as_it_was() {
    let world = World::new();
    world.fairway(&["run", "hello"]).passed();
    let before = world.fairway(&["promote", "hello", "staging", "--output", "json"]).json();
    world.write("services/hello/Dockerfile", BROKEN);
    world.commit();
    world.fairway(&["run", "hello"]).passed();
    assert_outcome!(world.fairway(&["promote", "hello", "staging"]), @r"
    exit 1
    --- stderr
    error: `hello@2` is not live in `staging`
      caused by: exited with 3
        cannot find my files
      hint: the environment is as it was before
    ");
    let gateway = before["gateway"].as_str().unwrap();
    assert_eq!(get(&format!("{gateway}/hello/version.txt")), (200, "one\n".to_owned()));
}

#[test]
fn a_missing_secret_is_told_with_the_command_to_set_it() {
    let world = World::new();
    let config = "service: hello\nport: 8080\nenv: { TOKEN: '${secret:api_token}' }\n";
    world.write("services/hello/fairway.yaml", config);
    world.commit();
    world.fairway(&["run", "hello"]).passed();
    assert_outcome!(world.fairway(&["promote", "hello", "staging"]), @r"
    exit 1
    --- stderr
    error: `hello` needs secrets that `staging` has not
      hint: `fairway secret set staging api_token` (`--generate` for a random one)
    ");
    world.fairway(&["secret", "set", "staging", "api_token", "--generate"]).passed();
    world.fairway(&["promote", "hello", "staging"]).passed();
}

#[test]
fn what_is_not_there_cannot_be_promoted() {
    let world = World::new();
    assert_outcome!(world.fairway(&["promote", "hello", "nowhere"]), @r"
    exit 2
    --- stderr
    error: the fleet has no environment `nowhere`
      hint: it has `staging`, `production`
    ");
    assert_outcome!(world.fairway(&["promote", "hello@7", "staging"]), @r"
    exit 1
    --- stderr
    error: there is no release `hello@7`
      hint: `fairway releases hello` lists those there are
    ");
    assert_outcome!(world.fairway(&["promote", "hello", "staging"]), @r"
    exit 1
    --- stderr
    error: `hello` has no release
      hint: commit it and run its pipeline: `fairway run hello`
    ");
}

#[test]
fn services_reach_each_other_in_an_environment() {
    let world = World::new();
    world.fairway(&["run"]).passed();
    assert_outcome!(world.fairway(&["promote", "greeter", "staging"]), @r"
    exit 0
    --- stderr
    note: `greeter` uses `hello`, which is not in `staging` yet
    greeter@1 is live in staging, at http://127.0.0.1:[PORT] ([TIME])
    ");
    world.fairway(&["promote", "hello", "staging"]).passed();
    let command =
        ["exec", "staging", "greeter", "--", "wget", "-q", "-O", "-", "http://hello:8080/"];
    assert_eq!(world.fairway(&command).passed().stdout, "one\n");
}
