//! What is different at a terminal: colour, live lines, questions.

use crate::world::World;
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// Runs a command line at a terminal of its own (`script` of bsdutils), with answers typed. Gives
/// what the terminal showed and the exit code.
fn at_terminal(world: &World, line: &str, typed: &str) -> (String, i32) {
    let mut script: Command = world.command("script");
    script.args(["--quiet", "--return", "--command", line, "/dev/null"]);
    script.env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut script = script.spawn().unwrap();
    script.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = script.wait_with_output().unwrap();
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code().unwrap())
}

#[test]
fn errors_have_colour_at_a_terminal_only() {
    let world = World::new();
    world.write("services/hello/fairway.yaml", "service: hello\nport: 8080\nprot: 1\n");
    let (shown, code) = at_terminal(&world, "fairway check", "");
    assert_eq!(code, 2, "{shown}");
    assert!(shown.contains("\u{1b}["), "{shown:?}");
    for variable in ["NO_COLOR", "CI"] {
        let (shown, _) = at_terminal(&world, &format!("{variable}=1 fairway check"), "");
        assert!(!shown.contains('\u{1b}'), "{variable}: {shown:?}");
    }
    assert!(!world.fairway(&["check"]).stderr.contains('\u{1b}'));
}

#[test]
fn an_environment_goes_down_only_when_that_is_confirmed() {
    let world = World::new();
    world.fairway(&["run", "hello"]).passed();
    world.fairway(&["promote", "hello", "staging"]).passed();
    let (shown, code) = at_terminal(&world, "fairway down staging", "n\n");
    assert_eq!(code, 1, "{shown}");
    assert!(shown.contains("this stops hello@1 in staging"), "{shown}");
    assert!(shown.contains("nothing was stopped"), "{shown}");
    let (shown, code) = at_terminal(&world, "fairway down staging", "y\n");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("staging is down"), "{shown}");
}

#[test]
fn a_run_is_shown_live_and_ends_with_a_table() {
    let world = World::new();
    let (shown, code) = at_terminal(&world, "fairway run hello", "");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("\u{1b}["), "{shown:?}");
    assert!(shown.contains("hello@1"), "{shown:?}");
}

#[test]
fn a_command_in_a_service_has_the_terminal() {
    let world = World::new();
    world.fairway(&["run", "hello"]).passed();
    world.fairway(&["promote", "hello", "staging"]).passed();
    let (shown, code) =
        at_terminal(&world, "fairway exec staging hello -- sh -c 'tty; exit 3'", "");
    assert_eq!(code, 3, "{shown}");
    assert!(shown.contains("/dev/pts/"), "{shown:?}");
    let plain = ["exec", "staging", "hello", "--", "tty"];
    assert!(world.fairway(&plain).stdout.contains("not a tty"));
}
