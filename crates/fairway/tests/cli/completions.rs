//! `fairway completions`.

use crate::{outcome::assert_outcome, world::World};
use std::fs;

#[test]
fn the_script_for_bash_completes_verbs() {
    let world = World::empty();
    let script = world.fairway(&["completions", "bash"]).passed().stdout;
    fs::write(world.dir().join("completions"), script).unwrap();
    let completed = world
        .command("bash")
        .arg("-c")
        .arg(
            "source ../completions
             COMP_WORDS=(fairway comp) COMP_CWORD=1
             _fairway fairway comp fairway
             echo \"${COMPREPLY[*]}\"",
        )
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&completed.stdout), "completions\n", "{completed:?}");
}

#[test]
fn every_shell_has_a_script() {
    let world = World::empty();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = world.fairway(&["completions", shell]).passed().stdout;
        assert!(script.contains("promote"), "{shell}");
    }
}

#[test]
fn an_unknown_shell_is_told_those_there_are() {
    assert_outcome!(World::empty().fairway(&["completions", "bsh"]), @r"
    exit 2
    --- stderr
    error: invalid value 'bsh' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]

      tip: a similar value exists: 'bash'

    For more information, try '--help'.
    ");
}
