//! `fairway exec`.

use crate::{outcome::assert_outcome, world::World};

#[test]
fn a_command_runs_in_a_service_and_gives_its_code() {
    let world = World::new();
    assert_outcome!(world.fairway(&["exec", "staging", "hello", "--", "true"]), @r"
    exit 1
    --- stderr
    error: `staging` is not up
      hint: `fairway promote SERVICE staging` brings it up
    ");
    world.fairway(&["run", "hello"]).passed();
    world.fairway(&["promote", "hello", "staging"]).passed();
    let script = "cat /www/version.txt; echo bad >&2; exit 7";
    assert_outcome!(world.fairway(&["exec", "staging", "hello", "--", "sh", "-c", script]), @r"
    exit 7
    --- stdout
    one
    --- stderr
    bad
    ");
    let reading = ["exec", "staging", "hello", "--", "cat"];
    assert_outcome!(world.fairway_with(&reading, "from outside\n"), @r"
    exit 0
    --- stdout
    from outside
    ");
    assert_outcome!(world.fairway(&["exec", "staging", "hello", "--", "nonsense"]), @r"
    exit 1
    --- stderr
    error: could not run the command in `hello-1-[SET]`
      caused by: could not start `env-staging/hello-1-[SET]`: failed to create container: exec process failed with error error in executing process : executable 'nonsense' not found in $PATH
    ");
    assert_outcome!(world.fairway(&["exec", "staging", "nobody", "--", "true"]), @r"
    exit 1
    --- stderr
    error: nothing named `nobody` runs in `staging`
      hint: there are `hello`
    ");
    assert_outcome!(world.fairway(&["exec", "staging", "hello"]), @r"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      <COMMAND>...

    Usage: fairway exec <ENVIRONMENT> <SERVICE> -- <COMMAND>...

    For more information, try '--help'.
    ");
}
