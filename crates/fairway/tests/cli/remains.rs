//! Looks for what a data directory could leave behind on this machine, and ends it.

use crate::world::World;
use fairway_engine_embedded::Settings;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// How long anything may take to go.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// A process of this data directory.
#[derive(Debug, Clone)]
pub struct Process {
    /// Its id.
    pub pid: Pid,
    /// How it was started, with blanks.
    pub line: String,
}

/// The helpers of containers and networks, by their command lines.
pub fn helpers(home: &Path, kind: &str) -> Vec<Process> {
    let runtime = Settings::runtime_dir_of(home).display().to_string();
    let is_one = |process: &Process| {
        process.line.contains(&format!(" {kind} ")) && process.line.contains(&runtime)
    };
    processes().into_iter().filter(is_one).collect()
}

/// The keepers of this data directory.
pub fn keepers(home: &Path) -> Vec<Process> {
    commands(home, "keeper")
}

/// The processes of a verb on this data directory, by their environment.
pub fn commands(home: &Path, verb: &str) -> Vec<Process> {
    let variable = format!("FAIRWAY_HOME={}", home.display());
    let is_one = |process: &Process| {
        let variables = fs::read(format!("/proc/{}/environ", process.pid.as_raw_pid()));
        let variables = String::from_utf8_lossy(&variables.unwrap_or_default()).into_owned();
        process.line.contains(&format!("fairway {verb} "))
            && variables.split('\0').any(|known| known == variable)
    };
    processes().into_iter().filter(is_one).collect()
}

fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap();
    let process = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        Some(Process { pid: Pid::from_raw(pid)?, line })
    };
    entries.filter_map(|entry| process(entry.ok()?)).collect()
}

/// Everything that is left of containers and networks, as text for people.
fn find(home: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for kind in ["__container", "__network"] {
        found.extend(helpers(home, kind).into_iter().map(|process| format!("{process:?}")));
    }
    let runtime = Settings::runtime_dir_of(home);
    let dirs = [home.display().to_string(), runtime.display().to_string()];
    let own = format!(" {} ", home.display());
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let is_left = |line: &&str| dirs.iter().any(|dir| line.contains(dir)) && !line.contains(&own);
    found.extend(mounts.lines().filter(is_left).map(|line| format!("mount {line}")));
    found.extend(control_groups(&runtime));
    found.extend(entries(&runtime.join("groups")));
    found.extend(entries(&runtime.join("networks")));
    found.extend(entries(&home.join("engine/containers")));
    found
}

fn control_groups(runtime: &Path) -> Vec<String> {
    let tag = runtime.file_name().unwrap().to_str().unwrap();
    let hierarchies = entries(Path::new("/sys/fs/cgroup"));
    let groups = hierarchies.iter().flat_map(|hierarchy| entries(Path::new(hierarchy)));
    groups.filter(|path| path.contains(tag) && Path::new(path).is_dir()).collect()
}

fn entries(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| Some(entry.ok()?.path().display().to_string())).collect()
}

/// Waits until nothing is left of containers and networks.
#[track_caller]
pub fn assert_gone(home: &Path) {
    let deadline = Instant::now() + GONE_WITHIN;
    loop {
        let left = find(home);
        if left.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "left after {GONE_WITHIN:?}: {left:#?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Removes the directory in memory, which only a restart of the machine would.
pub fn forget(home: &Path) {
    fs::remove_dir_all(Settings::runtime_dir_of(home)).unwrap_or_default();
}

/// Stops every environment that is up.
pub fn take_down(world: &World) {
    if !world.home().join("keeper").exists() {
        return;
    }
    let known = world.fairway(&["status", "--output", "json"]).passed().json();
    for environment in known.as_array().unwrap() {
        if environment["is_up"] == true {
            let name = environment["environment"].as_str().unwrap();
            world.fairway(&["down", name, "--yes"]).passed();
        }
    }
}

/// Asks the keeper to leave and waits until it is gone.
pub fn end_keeper(home: &Path) {
    end(&keepers(home), Signal::TERM);
    let deadline = Instant::now() + GONE_WITHIN;
    while !keepers(home).is_empty() {
        assert!(Instant::now() < deadline, "the keeper does not leave");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Ends whatever a failed test left. The processes of a network replace each other, so it takes
/// more than one round to end them.
pub fn end_all(home: &Path) {
    let deadline = Instant::now() + GONE_WITHIN;
    while Instant::now() < deadline {
        let networks = helpers(home, "__network");
        let left = [keepers(home), networks, helpers(home, "__container")].concat();
        if left.is_empty() {
            break;
        }
        end(&left, Signal::KILL);
        thread::sleep(Duration::from_millis(10));
    }
    forget(home);
}

/// Sends a signal; those that are gone already need none.
pub fn end(processes: &[Process], signal: Signal) {
    for process in processes {
        kill_process(process.pid, signal).unwrap_or_default();
    }
}
