//! The official SDKs of CloudEvents, as their registries have them, run scripts that send and read
//! back.

use crate::world::World;
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

const PYTHON_SDK: &str = "cloudevents==2.2.0";
const NODE_SDK: &str = "cloudevents@10.0.0";

/// Where SDKs are kept between runs of the tests.
fn cache(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cloudevents-sdks").join(name)
}

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
    tokio::task::spawn_blocking(run).await.unwrap();
}

#[tokio::test]
async fn the_python_sdk_gets_back_what_it_sent() {
    let folder = cache("python");
    run("python3", &["-m".as_ref(), "venv".as_ref(), folder.as_ref()]).await;
    let install = ["install", "--quiet", "--disable-pip-version-check", PYTHON_SDK];
    run(folder.join("bin/pip"), &install.map(OsStr::new)).await;
    let world = World::start();
    let address = world.address.to_string();
    let script = script("cloud_events.py");
    run(folder.join("bin/python"), &[script.as_ref(), address.as_ref()]).await;
    world.end().await;
}

#[tokio::test]
async fn the_node_sdk_gets_back_what_it_sent() {
    let folder = cache("node");
    std::fs::create_dir_all(&folder).unwrap();
    let install = ["install", "--silent", "--no-audit", "--no-fund", NODE_SDK, "--prefix"];
    let mut install = install.map(OsStr::new).to_vec();
    install.push(folder.as_ref());
    run("npm", &install).await;
    // Modules are found from where a script is.
    let copy = folder.join("cloud_events.mjs");
    std::fs::copy(script("cloud_events.mjs"), &copy).unwrap();
    let world = World::start();
    let address = world.address.to_string();
    run("node", &[copy.as_ref(), address.as_ref()]).await;
    world.end().await;
}
