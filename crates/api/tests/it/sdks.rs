//! The official SDKs of CloudEvents, as their registries have them, run scripts that send and read
//! back.

use crate::{
    packages::{node_with, python_with},
    world::World,
};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};
use tokio::task::spawn_blocking;

const PYTHON_SDK: &str = "cloudevents==2.2.0";
const NODE_SDK: &str = "cloudevents@10.0.0";

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdks").join(name)
}

/// Runs a program to its end, which has to be a good one.
async fn run(program: impl AsRef<OsStr>, arguments: &[&OsStr]) {
    let mut command = Command::new(program);
    command.args(arguments);
    let run = move || {
        let output = command.output().unwrap();
        let said = [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy);
        assert!(output.status.success(), "{command:?} failed\n{}", said.concat());
    };
    spawn_blocking(run).await.unwrap();
}

#[tokio::test]
async fn the_python_sdk_gets_back_what_it_sent() {
    let python = spawn_blocking(|| python_with(PYTHON_SDK)).await.unwrap();
    let world = World::start();
    let address = world.address.to_string();
    let script = script("cloud_events.py");
    run(python, &[script.as_ref(), address.as_ref()]).await;
    world.end().await;
}

#[tokio::test]
async fn the_node_sdk_gets_back_what_it_sent() {
    let folder = spawn_blocking(|| node_with(NODE_SDK)).await.unwrap();
    // Modules are found from where a script is.
    let copy = folder.join("cloud_events.mjs");
    std::fs::copy(script("cloud_events.mjs"), &copy).unwrap();
    let world = World::start();
    let address = world.address.to_string();
    run("node", &[copy.as_ref(), address.as_ref()]).await;
    world.end().await;
}
