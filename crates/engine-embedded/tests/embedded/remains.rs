//! Looks for what a container or network could leave behind on this machine.

use crate::fixture::Fixture;
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long anything may take to go.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// Everything found, as text for people.
pub fn find(fixture: &Fixture) -> Vec<String> {
    let mut found = processes(fixture);
    found.extend(cgroups(fixture).iter().map(|path| format!("control group {}", path.display())));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let dirs =
        [fixture.dir().to_owned(), fixture.runtime_dir()].map(|dir| dir.display().to_string());
    // The directory itself may be a mount of the test's.
    let of_test = format!(" {} ", fixture.dir().display());
    let left = mounts
        .lines()
        .filter(|line| dirs.iter().any(|dir| line.contains(dir)) && !line.contains(&of_test));
    found.extend(left.map(|line| format!("mount {line}")));
    found
}

/// The helpers of containers and networks, by their command lines.
pub fn helpers(fixture: &Fixture, kind: &str) -> Vec<u32> {
    let runtime = fixture.runtime_dir().display().to_string();
    let is_one = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains(kind) && line.contains(&runtime)
    };
    pids().into_iter().filter(is_one).collect()
}

fn processes(fixture: &Fixture) -> Vec<String> {
    let mut found = Vec::new();
    for kind in ["__container", "__network"] {
        found.extend(helpers(fixture, kind).iter().map(|pid| format!("process {pid} {kind}")));
    }
    found
}

fn pids() -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

fn cgroups(fixture: &Fixture) -> Vec<PathBuf> {
    let tag = fixture.runtime_dir().file_name().unwrap().to_str().unwrap().to_owned();
    let mut found = Vec::new();
    for hierarchy in fs::read_dir("/sys/fs/cgroup").unwrap() {
        let Ok(groups) = fs::read_dir(hierarchy.unwrap().path()) else { continue };
        let paths = groups.filter_map(|group| Some(group.ok()?.path()));
        found.extend(paths.filter(|path| is_ours(path, &tag)));
    }
    found
}

fn is_ours(path: &Path, tag: &str) -> bool {
    path.is_dir() && path.file_name().is_some_and(|name| name.to_string_lossy().contains(tag))
}

/// Waits until nothing is left; what a group that nobody owns left in directories is swept.
pub async fn check(fixture: &Fixture) {
    let deadline = Instant::now() + GONE_WITHIN;
    loop {
        let left = find(fixture);
        if left.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "left after {GONE_WITHIN:?}: {left:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    fixture.engine().sweep().await.unwrap();
    for dir in [fixture.runtime_dir().join("groups"), fixture.dir().join("engine/containers")] {
        let left: Vec<_> = fs::read_dir(&dir).unwrap().collect();
        assert!(left.is_empty(), "{left:?} is left in {}", dir.display());
    }
}
