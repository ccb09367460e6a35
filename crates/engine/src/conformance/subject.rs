//! What is put to the test.

use crate::{
    Command, ContainerEvent, ContainerId, ContainerSpec, Dial, Env, Exec, ExecOutput, ExecStreams,
    Exit, GroupId, Keep, LogEvent, LogFrom, LogLine, Sandbox,
};
use fairway_model::Digest;
use futures_util::{StreamExt, future::BoxFuture};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long anything in a case may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// One case: a sentence about behaviour, and how it is shown.
#[derive(Clone, Copy)]
pub struct Case {
    /// The sentence, with `_` for spaces.
    pub name: &'static str,
    /// Shows it; panics if it is not so.
    pub run: fn(Subject) -> BoxFuture<'static, ()>,
}

/// An engine with an image.
#[derive(Clone)]
pub struct Subject {
    /// The engine.
    pub sandbox: Arc<dyn Sandbox>,
    /// How groups are reached from outside.
    pub dial: Arc<dyn Dial>,
    /// An image with busybox under all its names; the users `root` and `app` (1000:1000, home
    /// `/home/app`, also in group `staff` with id 50); `/data` of user `app` with a file `seed`
    /// that holds `from the image`. Its command is `sh`.
    pub image: Digest,
    /// The group of this case, which is not open yet.
    pub group: GroupId,
}

impl Subject {
    pub(super) fn id(&self, name: &str) -> ContainerId {
        ContainerId { group: self.group.clone(), name: name.to_owned() }
    }

    /// A container that runs a shell script.
    pub(super) fn shell(&self, script: &str) -> ContainerSpec {
        let command = ["sh", "-c", script].map(str::to_owned).to_vec();
        ContainerSpec { command: Command::Process(command), ..ContainerSpec::of(self.image) }
    }

    pub(super) async fn open(&self) {
        self.sandbox.open(&self.group, Keep::WhileOwned).await.expect("the group opens");
    }

    pub(super) async fn close(&self) {
        self.sandbox.close(&self.group).await.expect("the group closes");
    }

    pub(super) async fn start(&self, name: &str, spec: &ContainerSpec) -> ContainerId {
        let id = self.id(name);
        self.sandbox.start(&id, spec).await.expect("the container starts");
        id
    }

    /// Waits for the end of a container.
    pub(super) async fn exit(&self, id: &ContainerId) -> Exit {
        let mut events = self.sandbox.watch(id).await.expect("the container is watched");
        let ended = async {
            while let Some(event) = events.next().await {
                if let ContainerEvent::Exited(exit) = event {
                    return exit;
                }
            }
            panic!("the stream ended before the container")
        };
        timeout(PATIENCE, ended).await.expect("the container ends")
    }

    /// Waits until a container is ready; gives its address.
    pub(super) async fn ready(&self, id: &ContainerId) -> SocketAddr {
        let mut events = self.sandbox.watch(id).await.expect("the container is watched");
        let mut address = None;
        let ready = async {
            while let Some(event) = events.next().await {
                match event {
                    ContainerEvent::Started(at) => address = Some(at),
                    ContainerEvent::Ready => return address.expect("it starts before it is ready"),
                    other => panic!("not ready: {other:?}"),
                }
            }
            panic!("the stream ended before the container was ready")
        };
        timeout(PATIENCE, ready).await.expect("the container gets ready")
    }

    /// The lines of a container's output until it ends.
    pub(super) async fn lines(&self, id: &ContainerId) -> Vec<LogLine> {
        let events = self.events(id, LogFrom::StartAndFollow).await.into_iter();
        events
            .filter_map(|event| match event {
                LogEvent::Line(line) => Some(line),
                LogEvent::Cut { .. } => None,
            })
            .collect()
    }

    pub(super) async fn events(&self, id: &ContainerId, from: LogFrom) -> Vec<LogEvent> {
        let events = self.sandbox.logs(id, from).await.expect("the log is read");
        let all = events.map(|event| event.expect("the log is whole")).collect();
        timeout(PATIENCE, all).await.expect("the log ends")
    }

    /// What a container prints until it ends.
    pub(super) async fn output(&self, id: &ContainerId) -> String {
        let lines = self.lines(id).await;
        let lines: Vec<_> = lines.iter().map(|line| String::from_utf8_lossy(&line.text)).collect();
        lines.join("\n")
    }

    /// What a script prints in a container of its own that must succeed.
    pub(super) async fn run(&self, spec: &ContainerSpec) -> String {
        let id = self.start("script", spec).await;
        let output = self.output(&id).await;
        let exit = self.exit(&id).await;
        assert!(exit.is_success(), "{exit}: {output}");
        self.sandbox.remove(&id).await.expect("the container is removed");
        output
    }

    pub(super) async fn exec(&self, id: &ContainerId, script: &str) -> ExecOutput {
        self.sandbox.exec(id, &command(script)).await.expect("the command runs")
    }
}

/// A shell script as a command.
pub(super) fn command(script: &str) -> Exec {
    Exec {
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: Env::default(),
        user: None,
        streams: ExecStreams::Collected,
        timeout: None,
    }
}

/// What a command said, without the last line feed.
pub(super) fn said(output: &ExecOutput) -> String {
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Waits for a condition.
pub(super) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(PATIENCE, wait).await.is_ok(), "it never came about that {what}");
}
