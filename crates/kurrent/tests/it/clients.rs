//! The official clients, as their registries have them, run scripts that check what they see.

use crate::server::Server;
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tokio::sync::OnceCell;

const PYTHON_CLIENT: &str = "kurrentdbclient==1.3.5";
const NODE_CLIENT: &str = "@kurrent/kurrentdb-client@1.3.1";

static PYTHON: OnceCell<PathBuf> = OnceCell::const_new();
static NODE: OnceCell<PathBuf> = OnceCell::const_new();

/// Where clients are kept between runs of the tests.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("kurrent-clients")
}

fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || {
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "{command:?} failed\n{}\n{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        output
    })
    .await
    .unwrap()
}

/// Installs the Python client once; gives the interpreter that has it.
async fn python() -> &'static Path {
    PYTHON
        .get_or_init(async || {
            let dir = cache().join("python");
            let mut venv = command("python3");
            venv.args(["-m", "venv"]).arg(&dir);
            run(venv).await;
            let mut install = command(dir.join("bin/pip"));
            install.args(["install", "--quiet", "--disable-pip-version-check", PYTHON_CLIENT]);
            run(install).await;
            dir.join("bin/python")
        })
        .await
}

/// Installs the Node client once; gives the directory that has it.
async fn node() -> &'static Path {
    NODE.get_or_init(async || {
        let dir = cache().join("node");
        std::fs::create_dir_all(&dir).unwrap();
        let mut install = command("npm");
        install.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]);
        install.arg(&dir).arg(NODE_CLIENT);
        run(install).await;
        dir
    })
    .await
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
