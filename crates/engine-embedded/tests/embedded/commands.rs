//! Commands in containers with the streams of whoever asks.

use crate::{cases, fixture::Fixture, owner};
use std::{io::Write, process::Stdio, sync::Arc};

cases![
    a_command_may_have_the_askers_streams_and_gives_its_code,
    a_command_at_a_terminal_gets_one_in_the_container,
];

async fn a_command_may_have_the_askers_streams_and_gives_its_code(fixture: Arc<Fixture>) {
    let mut owner = owner::command(&fixture, &["exec", "streams", "cat; exit 7"]);
    let mut child = owner.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"passed on").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "passed on");
    assert_eq!(output.status.code(), Some(7));
}

async fn a_command_at_a_terminal_gets_one_in_the_container(fixture: Arc<Fixture>) {
    let script = "tty; test -t 2 && stty size && echo reached";
    let owner = owner::command(&fixture, &["exec", "terminal", script]);
    let words = std::iter::once(owner.get_program()).chain(owner.get_args());
    let line: Vec<_> = words.map(|word| format!("'{}'", word.display())).collect();
    let mut outer = std::process::Command::new("script");
    outer.args(["-qec", &line.join(" "), "/dev/null"]).stdin(Stdio::null());
    let output = outer.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<_> = said.lines().collect();
    assert!(matches!(lines[..], ["/dev/pts/0", _, "reached"]), "{output:?}");
    assert!(output.status.success());
}
