//! Checkouts and data directories in unusual places.

use crate::{outcome::assert_outcome, remains, world::World};
use std::{fs, os::unix::fs::symlink, path::Path};

#[test]
fn a_data_directory_may_be_relative_and_have_blanks() {
    let world = World::new();
    let world = {
        let home = world.dir().join("my data");
        world.with_home(&home)
    };
    let relative = |folder: &Path, home: &str, arguments: &[&str]| {
        let mut command = world.program(arguments);
        let ran = command.current_dir(folder).env("FAIRWAY_HOME", home).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8(ran.stdout).unwrap()
    };
    let fleet = world.fleet();
    relative(&fleet, "../my data", &["run", "hello"]);
    relative(&fleet, "../my data", &["promote", "hello", "staging"]);
    let version = ["exec", "staging", "hello", "--", "cat", "/www/version.txt"];
    assert_eq!(relative(&fleet.join("services"), "../../my data", &version), "one\n");
    relative(&fleet, "../my data", &["down", "staging", "--yes"]);
}

#[test]
fn without_a_commit_there_are_runs_and_no_releases() {
    let world = World::new();
    fs::remove_dir_all(world.fleet().join(".git")).unwrap();
    assert_outcome!(world.fairway(&["run", "hello"]).settled(), @r"
    exit 0
    --- stdout
    SERVICE  RUN  OUTCOME  RAN  CACHED  RELEASE  TIME
    hello  1  passed  2  0  -  [TIME]
    --- stderr
    hello/build: passed
    hello/unit: passed
    hello: passed in [TIME]
    hello: run 1 of tree [DIGEST]
    note: no release of `hello`: it is not committed
    ");
    world.command("git").args(["init", "--quiet"]).status().unwrap();
    assert_outcome!(world.fairway(&["run", "hello"]).settled(), @r"
    exit 0
    --- stdout
    SERVICE  RUN  OUTCOME  RAN  CACHED  RELEASE  TIME
    hello  2  passed  0  2  -  [TIME]
    --- stderr
    hello/build: cached from run 1
    hello/unit: cached from run 1
    hello: passed in [TIME]
    hello: run 2 of tree [DIGEST]
    note: no release of `hello`: it is not committed
    ");
}

#[test]
fn sources_may_hold_what_is_no_plain_file() {
    let world = World::new();
    let hello = world.fleet().join("services/hello");
    world.write("services/hello/a name with \u{e4}.txt", "text\n");
    symlink("version.txt", hello.join("link")).unwrap();
    symlink("nowhere", hello.join("dangling")).unwrap();
    let made = world.command("mkfifo").arg(hello.join("pipe")).status().unwrap();
    assert!(made.success());
    let show = "cat link *name*; readlink dangling; ls";
    let outcome = world.fairway(&["run", "hello", "--", "sh", "-c", show]);
    assert_outcome!(outcome.terse(), @r"
    exit 0
    --- stdout
    one
    text
    nowhere
    Dockerfile
    a name with ??.txt
    dangling
    fairway.yaml
    link
    version.txt
    --- stderr
    hello: run 1 of [COMMIT]+
    hello/build: passed
    hello/command: passed
    hello: passed in [TIME]
    ");
}

#[test]
fn a_reader_that_leaves_ends_the_output_quietly() {
    let world = World::empty();
    let mut shell = world.command("bash");
    shell.args(["-c", "fairway completions zsh | head -n 1; echo ${PIPESTATUS[0]}"]);
    let output = shell.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "#compdef fairway\n0\n", "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    remains::assert_gone(world.home());
}
