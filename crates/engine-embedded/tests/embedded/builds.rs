//! Steps of image builds.

use crate::{cases, fixture::Fixture, remains};
use fairway_engine::{ExitStatus, LogEvent};
use fairway_engine_embedded::{BuildNetwork, BuildRoot, BuildStep};
use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::Path,
    sync::Arc,
    time::Duration,
};

cases![a_step_leaves_its_changes_and_nothing_else, a_cancelled_step_is_killed];

fn step(fixture: &Fixture, dir: &Path, script: &str) -> BuildStep {
    let env = [("PATH", "/bin"), ("A", "1")].map(|(key, value)| (key.into(), value.into()));
    BuildStep {
        lower_dirs: fixture.layers.image(&fixture.image).unwrap().lower_dirs,
        upper: dir.join("upper"),
        work: dir.join("work"),
        args: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: env.into(),
        user: String::new(),
        working_dir: "/tmp".into(),
        network: BuildNetwork::None,
        limits: fairway_model::config::Resources::default(),
    }
}

fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        found.push(entry.path().display().to_string());
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        }
    }
    found.sort();
    found
}

async fn a_step_leaves_its_changes_and_nothing_else(fixture: Arc<Fixture>) {
    let root = BuildRoot::open(&fixture.engine(), "build-1".parse().unwrap()).await.unwrap();
    let dir = tempfile::tempdir_in(fixture.dir()).unwrap();
    let script = "pwd; echo $A > made; rm /data/seed; grep Seccomp: /proc/self/status; exit 3";
    let mut lines = Vec::new();
    let mut output = |event| match event {
        LogEvent::Line(line) => lines.push(String::from_utf8(line.text).unwrap()),
        LogEvent::Cut { .. } => panic!("cut"),
    };
    let wait = std::future::pending();
    let exit = root.run(step(&fixture, dir.path(), script), &mut output, wait).await.unwrap();
    assert_eq!(exit.status, ExitStatus::Code(3));
    assert_eq!(lines, ["/tmp", "Seccomp:\t2"]);
    let upper = dir.path().join("upper");
    let names = ["data", "data/seed", "tmp", "tmp/made"];
    assert_eq!(files(&upper), names.map(|name| upper.join(name).display().to_string()));
    let gone = fs::symlink_metadata(upper.join("data/seed")).unwrap();
    assert!(gone.file_type().is_char_device() && gone.rdev() == 0);
    assert_eq!(fs::read_to_string(upper.join("tmp/made")).unwrap(), "1\n");
    root.close().await.unwrap();
    remains::check(&fixture).await;
}

async fn a_cancelled_step_is_killed(fixture: Arc<Fixture>) {
    let root = BuildRoot::open(&fixture.engine(), "build-2".parse().unwrap()).await.unwrap();
    let dir = tempfile::tempdir_in(fixture.dir()).unwrap();
    let cancel = tokio::time::sleep(Duration::from_millis(300));
    let step = BuildStep {
        network: BuildNetwork::Uplink,
        ..step(&fixture, dir.path(), "ip addr show eth0 | grep -q 'inet ' && sleep 600")
    };
    let exit = root.run(step, &mut |_| (), cancel).await.unwrap();
    assert_eq!(exit.status, ExitStatus::Signal(9));
    root.close().await.unwrap();
    remains::check(&fixture).await;
}
