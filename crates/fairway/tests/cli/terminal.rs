//! What is different at a terminal: colour, live lines, questions.

use crate::{
    remains::{self, helpers},
    web::get,
    world::{World, until},
};
use std::{
    io::Write,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

/// What the key Ctrl-C types.
const CTRL_C: &[u8] = b"\x03";

/// Runs a command line at a terminal of its own (`script` of bsdutils), with answers typed. Gives
/// what the terminal showed and the exit code.
fn at_terminal(world: &World, line: &str, typed: &str) -> (String, i32) {
    let mut terminal = terminal(world, line);
    terminal.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    end_of(terminal)
}

fn terminal(world: &World, line: &str) -> Child {
    let mut script = world.command("script");
    script.args(["--quiet", "--return", "--command", line, "/dev/null"]);
    script.env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped());
    script.spawn().unwrap()
}

fn end_of(terminal: Child) -> (String, i32) {
    let output = terminal.wait_with_output().unwrap();
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
fn events_are_shown_in_colour_at_a_terminal_and_fit_it() {
    let world = World::empty();
    let long = format!("[\"{}\"]", "x".repeat(300));
    world.fairway(&["events", "append", "orders-1", "order-created", &long]).passed();
    let (shown, code) = at_terminal(&world, "stty cols 100; fairway events read", "");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("\u{1b}[36morders-1@1\u{1b}[0m") && shown.contains('…'), "{shown:?}");
    let (shown, _) = at_terminal(&world, "fairway events read | cat", "");
    assert!(!shown.contains('\u{1b}') && shown.contains(&long), "{shown:?}");
}

#[test]
fn a_stream_is_deleted_only_when_that_is_confirmed() {
    let world = World::empty();
    world.fairway(&["events", "append", "orders-1", "order-created"]).passed();
    let (shown, code) = at_terminal(&world, "fairway events delete orders-1", "n\n");
    assert_eq!(code, 1, "{shown}");
    assert!(shown.contains("this deletes `orders-1` with 1 event for good"), "{shown}");
    assert!(shown.contains("nothing was deleted"), "{shown}");
    let (shown, code) = at_terminal(&world, "fairway events delete orders-1", "y\n");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("`orders-1` is deleted"), "{shown}");
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

#[test]
fn ctrl_c_ends_a_run_with_all_that_it_started() {
    let world = World::new();
    let config = "service: hello\nport: 8080\npipeline: { stages: { unit: { steps: [\
                  \"trap '' INT TERM; sleep 1000\"] } } }\n";
    world.write("services/hello/fairway.yaml", config);
    let mut terminal = terminal(&world, "exec fairway run hello");
    until("a stage", || {
        let stages = helpers(world.home(), "__container");
        stages.iter().any(|stage| stage.line.contains("unit")).then_some(())
    });
    let pressed = Instant::now();
    terminal.stdin.as_mut().unwrap().write_all(CTRL_C).unwrap();
    let (shown, code) = end_of(terminal);
    assert!(pressed.elapsed() < Duration::from_secs(5), "{:?}", pressed.elapsed());
    assert_eq!(code, 1, "{shown}");
    remains::assert_gone(world.home());
}

#[test]
fn an_environment_outlives_the_terminal_it_was_started_at() {
    let world = World::new();
    world.fairway(&["run", "hello"]).passed();
    let (shown, code) = at_terminal(&world, "fairway promote hello staging", "");
    assert_eq!(code, 0, "{shown}");
    let keepers = remains::keepers(world.home());
    assert_eq!(keepers.len(), 1, "{keepers:?}");
    let status = world.fairway(&["status", "--output", "json"]).passed().json();
    let gateway = status[0]["gateway"].as_str().unwrap();
    assert_eq!(get(&format!("{gateway}/hello/version.txt")), (200, "one\n".to_owned()));
    let now = remains::keepers(world.home());
    assert_eq!(now[0].pid, keepers[0].pid);
}
