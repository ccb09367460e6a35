//! The control group of a container: its limits, what it ran into, and its end.
//!
//! Version 1 has a hierarchy per controller, version 2 has one. A container's group lies directly
//! below the root of each.

use fairway_engine::EngineError;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

const ROOT: &str = "/sys/fs/cgroup";
/// How long the kernel may take to see that the last process of a group is gone.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// The controllers that are used of version 1.
const CONTROLLERS: [&str; 4] = ["cpu", "devices", "memory", "pids"];

/// The mounted hierarchies of this machine that are used.
#[derive(Debug, Clone)]
pub(crate) enum Hierarchies {
    /// Version 1: one per controller.
    Separate(Vec<PathBuf>),
    /// Version 2.
    Unified(PathBuf),
}

impl Hierarchies {
    /// Those below a directory.
    pub(crate) fn below(root: &Path) -> io::Result<Self> {
        if root.join("cgroup.controllers").exists() {
            return Ok(Self::Unified(root.to_owned()));
        }
        let named = CONTROLLERS.iter().map(|controller| root.join(controller));
        let mounted = named.filter(|path| path.join("cgroup.procs").exists());
        let mut found: Vec<_> = mounted.map(fs::canonicalize).collect::<io::Result<_>>()?;
        found.sort();
        found.dedup();
        Ok(Self::Separate(found))
    }

    /// Whether it is version 2.
    pub(crate) fn is_unified(&self) -> bool {
        matches!(self, Self::Unified(_))
    }

    fn roots(&self) -> &[PathBuf] {
        match self {
            Self::Separate(roots) => roots,
            Self::Unified(root) => std::slice::from_ref(root),
        }
    }

    /// Those of this machine.
    pub(crate) fn here() -> Result<Self, EngineError> {
        Self::below(Path::new(ROOT)).map_err(EngineError::io(format!("read `{ROOT}`")))
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.roots().is_empty()
    }

    /// The groups below the roots whose names start so.
    pub(crate) fn named(&self, prefix: &str) -> Vec<String> {
        let entries = self.roots().iter().filter_map(|root| fs::read_dir(root).ok()).flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<_> = names.filter(|name| name.starts_with(prefix)).collect();
        names.sort();
        names.dedup();
        names
    }
}

/// The control group of one container.
#[derive(Debug, Clone)]
pub(crate) struct Cgroup(Vec<PathBuf>);

/// What a container ran into.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Encounters {
    /// Processes that the kernel killed for want of memory.
    pub(crate) memory_kills: u32,
    /// New processes that were refused because of the limit.
    pub(crate) process_refusals: u32,
}

impl Cgroup {
    /// The group of this path in every hierarchy.
    pub(crate) fn new(hierarchies: &Hierarchies, path: &str) -> Self {
        let relative = path.trim_start_matches('/');
        Self(hierarchies.roots().iter().map(|root| root.join(relative)).collect())
    }

    /// Its directories.
    pub(super) fn dirs(&self) -> &[PathBuf] {
        &self.0
    }

    /// What it ran into so far; to be asked before it is removed.
    pub(crate) fn encounters(&self) -> Encounters {
        let count = |files: &[&str], key| {
            self.0
                .iter()
                .flat_map(|dir| files.iter().map(move |file| dir.join(file)))
                .filter_map(|path| fs::read_to_string(path).ok())
                .filter_map(|text| value(&text, key))
                .max()
                .unwrap_or_default()
        };
        Encounters {
            memory_kills: count(&["memory.oom_control", "memory.events"], "oom_kill"),
            process_refusals: count(&["pids.events"], "max"),
        }
    }

    /// Kills what is in it and removes it from every hierarchy.
    pub(crate) fn remove(&self) -> Result<(), EngineError> {
        self.0.iter().try_for_each(|dir| {
            remove(dir).map_err(EngineError::io(format!("remove `{}`", dir.display())))
        })
    }
}

/// The number after a key in a file of lines `key number`.
fn value(text: &str, key: &str) -> Option<u32> {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(name, _)| *name == key)?.1.trim().parse().ok()
}

fn remove(dir: &Path) -> io::Result<()> {
    let deadline = Instant::now() + GONE_WITHIN;
    loop {
        match fs::remove_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() != io::ErrorKind::ResourceBusy => return Err(error),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => kill_all(dir)?,
            Ok(()) => return Ok(()),
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn kill_all(dir: &Path) -> io::Result<()> {
    let processes = match fs::read_to_string(dir.join("cgroup.procs")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read?,
    };
    for pid in processes.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)) {
        // One that ended meanwhile is what is wanted.
        kill_process(pid, Signal::KILL).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encounters(files: &[(&str, &str)]) -> Encounters {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Cgroup::new(&Hierarchies::below(dir.path()).unwrap(), "/fairway-x").encounters()
    }

    #[test]
    fn encounters_are_read_from_version_1() {
        let seen = encounters(&[
            ("memory/cgroup.procs", ""),
            (
                "memory/fairway-x/memory.oom_control",
                "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
            ),
            ("pids/cgroup.procs", ""),
            ("pids/fairway-x/pids.events", "max 17\n"),
        ]);
        assert_eq!(seen, Encounters { memory_kills: 2, process_refusals: 17 });
    }

    #[test]
    fn encounters_are_read_from_version_2() {
        let seen = encounters(&[
            ("cgroup.controllers", "cpu memory pids"),
            ("fairway-x/memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\n"),
            ("fairway-x/pids.events", "max 0\n"),
        ]);
        assert_eq!(seen, Encounters { memory_kills: 1, process_refusals: 0 });
    }
}
