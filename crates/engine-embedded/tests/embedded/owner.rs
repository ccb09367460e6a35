//! Another process that uses the same engine: this program under a hidden subcommand.

use crate::fixture::{Fixture, shell};
use fairway_blobs::Blobs;
use fairway_engine::{ContainerId, Env, Exec, ExecStreams, ExitStatus, Keep, Sandbox};
use fairway_engine_embedded::{Embedded, Settings};
use fairway_layers::Layers;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
};

const SUBCOMMAND: &str = "__owner";

/// Starts the other process. Its words are those after the engine's directory.
pub fn spawn(fixture: &Fixture, words: &[&str]) -> Child {
    command(fixture, words).stdout(Stdio::piped()).spawn().unwrap()
}

/// How the other process is started.
pub fn command(fixture: &Fixture, words: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(SUBCOMMAND).arg(fixture.dir()).args(words);
    command
}

/// Waits until the other process says something.
pub fn wait_for_word(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

pub fn become_owner_if_asked() -> Option<ExitCode> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if args == ["__unprivileged"] {
        say_what_is_missing();
        return Some(ExitCode::SUCCESS);
    }
    let [first, dir, words @ ..] = &args[..] else { return None };
    if first != SUBCOMMAND {
        return None;
    }
    let fixture = Fixture::at(Path::new(dir));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if let [what, group, script] = words
        && what == "exec"
    {
        return Some(runtime.block_on(exec(&fixture, group, script)));
    }
    runtime.block_on(own(&fixture, words));
    Some(ExitCode::SUCCESS)
}

/// Opens an engine as somebody who is not root.
fn say_what_is_missing() {
    let dir = tempfile::tempdir_in("/var/tmp").unwrap();
    let blobs = Blobs::open(dir.path().join("blobs")).unwrap();
    let settings = Settings {
        data_dir: dir.path().to_owned(),
        runtime_dir: dir.path().join("run"),
        helper: std::env::current_exe().unwrap(),
        layers: Layers::open(dir.path().join("layers"), blobs).unwrap(),
    };
    println!("{}", Embedded::open(settings).unwrap_err());
}

/// Runs a script in a container with the streams of this process; gives its code.
async fn exec(fixture: &Fixture, group: &str, script: &str) -> ExitCode {
    let engine = fixture.engine();
    let id = ContainerId { group: group.parse().unwrap(), name: "a".into() };
    engine.open(&id.group, Keep::WhileOwned).await.unwrap();
    engine.start(&id, &shell(fixture.image, "sleep 600")).await.unwrap();
    let exec = Exec {
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: Env::default(),
        user: Some("app".into()),
        streams: ExecStreams::Inherited,
        timeout: None,
    };
    let output = engine.exec(&id, &exec).await.unwrap();
    engine.close(&id.group).await.unwrap();
    match output.status {
        ExitStatus::Code(code) => ExitCode::from(code),
        other => panic!("{other:?}"),
    }
}

async fn own(fixture: &Fixture, words: &[String]) {
    let [what, group] = words else { panic!("two words are needed") };
    let engine = fixture.engine();
    let group = group.parse().unwrap();
    let id =
        |name: &str| ContainerId { group: std::clone::Clone::clone(&group), name: name.into() };
    match &**what {
        // Starts containers without end, until it is killed.
        "busy" => {
            engine.open(&group, Keep::WhileOwned).await.unwrap();
            println!("open");
            for number in 0.. {
                let id = id(&format!("c{number}"));
                let script = "sleep 600 & setsid sleep 600 & wait";
                engine.start(&id, &shell(fixture.image, script)).await.unwrap();
                if number % 3 == 0 {
                    engine.remove(&id).await.unwrap();
                }
            }
        }
        // Leaves a container behind.
        "leave" => {
            engine.open(&group, Keep::UntilClosed).await.unwrap();
            let script = "echo left behind; sleep 600";
            engine.start(&id("left"), &shell(fixture.image, script)).await.unwrap();
        }
        // Replaces a set by the next one without end, until it is killed.
        "roll" => crate::hosts::roll(fixture, &group).await,
        other => panic!("`{other}` is not known"),
    }
}
