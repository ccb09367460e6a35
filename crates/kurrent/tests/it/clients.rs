//! The official clients, as their registries have them, run scripts that check what they see.

use crate::{
    packages::{KURRENT_FOR_NODE, KURRENT_FOR_PYTHON, node_with, python_with},
    server::Server,
};
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};
use tokio::task::spawn_blocking;

/// How long a script may take.
const PATIENCE: Duration = Duration::from_mins(3);

fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

/// Runs a program to its end, which has to be a good one and to come in time.
async fn run(command: Command) -> Output {
    let mut command = tokio::process::Command::from(command);
    let running = command.kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, running).await;
    let output = output.unwrap_or_else(|_| panic!("{command:?} does not end")).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?} failed\n{out}\n{error}");
    output
}

/// The interpreter that has the Python client.
async fn python() -> PathBuf {
    spawn_blocking(|| python_with(KURRENT_FOR_PYTHON)).await.unwrap()
}

/// The directory that has the Node client.
async fn node() -> PathBuf {
    spawn_blocking(|| node_with(KURRENT_FOR_NODE)).await.unwrap()
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

async fn run_python(name: &str, server: &Server) {
    let mut python = command(python().await);
    python.arg(script(name)).arg(server.address.to_string());
    run(python).await;
}

/// Modules are found from where a script is, so it runs where the client is.
async fn run_node(name: &str, server: &Server) {
    let dir = node().await;
    let copy = dir.join(name);
    std::fs::copy(script(name), &copy).unwrap();
    let mut node = command("node");
    node.arg(&copy).arg(server.address.to_string()).current_dir(dir);
    run(node).await;
}

#[tokio::test]
async fn the_python_client_works_with_streams() {
    run_python("streams.py", &Server::open().await).await;
}

#[tokio::test]
async fn the_python_client_follows_streams() {
    run_python("following.py", &Server::open().await).await;
}

#[tokio::test]
async fn the_python_client_works_with_groups() {
    run_python("groups.py", &Server::open().await).await;
}

#[tokio::test]
async fn the_node_client_works_with_streams() {
    run_node("streams.mjs", &Server::open().await).await;
}

#[tokio::test]
async fn the_node_client_works_with_groups() {
    run_node("groups.mjs", &Server::open().await).await;
}

/// The page about these clients, whose examples are true.
const PAGE: &str = include_str!("../../../../docs/events/kurrentdb.md");

/// The example in a language, for a server.
fn example(language: &str, server: &Server) -> String {
    let (_, rest) = PAGE.split_once(&format!("```{language}\n")).unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    assert!(example.contains("localhost:2113"));
    example.replace("localhost:2113", &server.address.to_string())
}

#[tokio::test]
async fn the_python_example_of_the_page_runs() {
    let server = Server::open().await;
    let mut python = command(python().await);
    python.arg("-c").arg(example("python", &server));
    let output = run(python).await;
    assert_eq!(output.stdout, b"0 order-created b'{\"total\": 7}'\n");
}

#[tokio::test]
async fn the_node_example_of_the_page_runs() {
    let server = Server::open().await;
    let script = node().await.join("example.mjs");
    std::fs::write(&script, example("javascript", &server)).unwrap();
    let mut node = command("node");
    node.arg(&script);
    let output = run(node).await;
    let seen = String::from_utf8(output.stdout).unwrap();
    assert_eq!(seen, "0n order-created { total: 7 }\norder-18 order-created\n");
}

#[tokio::test]
async fn the_python_client_appends_to_several_streams() {
    run_python("several.py", &Server::open().await).await;
}

#[tokio::test]
async fn the_node_client_appends_to_several_streams() {
    run_node("several.mjs", &Server::open().await).await;
}
