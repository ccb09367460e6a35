//! Limits and membership of a container's control groups, version 1.
//!
//! Done here and not by the runtime library for speed: the library writes process numbers, for which
//! the kernel waits about 10 ms for all processors to take notice. The helper, which has one
//! thread, moves itself instead, makes the container's first process, and moves back; and of the
//! nine hierarchies of a machine it uses four. Version 2 is left to the library.

use super::cgroup::{Cgroup, Hierarchies};
use crate::plan::Plan;
use fairway_engine::EngineError;
use fairway_model::config::Resources;
use rustix::{
    fs::{CWD, Mode, OFlags, openat},
    mount::{MountFlags, UnmountFlags, mount, mount_bind, unmount},
    thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe},
};
use std::{
    fs::{self, File},
    io::{self, Write},
    os::fd::AsFd,
    path::{Path, PathBuf},
};

/// Where the kernel shows itself, and below it the hierarchies of this machine.
const KERNEL: &str = "/sys";
/// Where the hierarchies are mounted.
const MOUNTS: &str = "/sys/fs/cgroup";
/// Most processes of a container that says nothing about it.
pub(super) const PIDS_DEFAULT: u32 = 4096;
/// The period of processor time in microseconds (the kernel's own default).
pub(super) const CPU_PERIOD: u64 = 100_000;

/// Docker's devices: making any node, and using null, zero, full, random, urandom, tty, console,
/// ptmx and terminals.
const DEVICES: [&str; 11] = [
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:1 rwm",
    "c 5:2 rwm",
    "c 136:* rwm",
];

impl Cgroup {
    /// Makes it in every hierarchy.
    pub(super) fn make(&self) -> Result<(), EngineError> {
        self.dirs().iter().try_for_each(|dir| {
            fs::create_dir_all(dir).map_err(EngineError::io(format!("make `{}`", dir.display())))
        })
    }

    /// Does something that makes processes, all of which then are in it.
    pub(super) fn inside<T>(
        &self,
        work: impl FnOnce() -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let before = memberships()?;
        self.dirs().iter().try_for_each(|dir| join(dir))?;
        let done = without_cgroups(work);
        for dir in self.dirs() {
            let Some(root) = dir.parent() else { continue };
            let name = root.file_name().unwrap_or_default().to_string_lossy();
            let home = before.iter().find(|(names, _)| names.split(',').any(|one| one == name));
            let home = home.map_or(Path::new(""), |(_, path)| path);
            join(&root.join(home)).or_else(|_| join(root))?;
        }
        done
    }

    /// Sets the limits and which devices may be used.
    pub(super) fn limit(&self, limits: &Resources) -> Result<(), EngineError> {
        self.set("pids.max", &limits.pids.unwrap_or(PIDS_DEFAULT).to_string())?;
        self.set("devices.deny", "a")?;
        self.set_all("devices.allow", &DEVICES)?;
        if let Some(memory) = limits.memory {
            self.set("memory.limit_in_bytes", &memory.0.to_string())?;
            if self.file("memory.memsw.limit_in_bytes").is_some() {
                self.set("memory.memsw.limit_in_bytes", &memory.0.to_string())?;
            }
        }
        if let Some(cpus) = limits.cpus {
            let quota = u64::from(cpus.milli) * CPU_PERIOD / 1000;
            self.set("cpu.cfs_period_us", &CPU_PERIOD.to_string())?;
            self.set("cpu.cfs_quota_us", &quota.to_string())?;
        }
        Ok(())
    }

    /// The directory of the hierarchy that has this file.
    pub(super) fn file(&self, name: &str) -> Option<PathBuf> {
        self.dirs().iter().map(|dir| dir.join(name)).find(|path| path.exists())
    }

    fn set(&self, name: &str, value: &str) -> Result<(), EngineError> {
        self.set_all(name, &[value])
    }

    /// Writes one value after the other to a file.
    fn set_all(&self, name: &str, values: &[&str]) -> Result<(), EngineError> {
        let missing = || {
            let controller = name.split('.').next().unwrap_or(name);
            EngineError::Broken(format!("the control group controller `{controller}` is missing"))
        };
        let path = self.file(name).ok_or_else(missing)?;
        let file = File::options().write(true).open(&path);
        file.and_then(|mut file| {
            values.iter().try_for_each(|value| file.write_all(value.as_bytes()))
        })
        .map_err(EngineError::io(format!("write `{}`", path.display())))
    }
}

/// Moves this thread; by its number the kernel would stop all others of the machine for a moment.
fn join(dir: &Path) -> Result<(), EngineError> {
    let tasks = dir.join("tasks");
    fs::write(&tasks, "0").map_err(EngineError::io(format!("write `{}`", tasks.display())))
}

/// Where this process is in each hierarchy (cgroups(7), `/proc/pid/cgroup`).
fn memberships() -> Result<Vec<(String, PathBuf)>, EngineError> {
    let path = "/proc/self/cgroup";
    let text = fs::read_to_string(path).map_err(EngineError::io(format!("read `{path}`")))?;
    Ok(text.lines().filter_map(membership).collect())
}

fn membership(line: &str) -> Option<(String, PathBuf)> {
    let (_, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    Some((controllers.to_owned(), PathBuf::from(path.trim_start_matches('/'))))
}

/// Does something in a mount namespace in which no hierarchy is mounted, so that the runtime
/// library leaves control groups alone. All of `/sys` is taken away: the library reads the list of
/// mounts many times.
#[expect(unsafe_code, reason = "there is no safe unshare")]
fn without_cgroups<T>(work: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
    let failed = |error: rustix::io::Errno| EngineError::io("hide control groups")(error.into());
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let own = openat(CWD, "/proc/self/ns/mnt", flags, Mode::empty()).map_err(failed)?;
    // SAFETY: the file table is not unshared, and this process has one thread.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }.map_err(failed)?;
    unmount(KERNEL, UnmountFlags::DETACH).map_err(failed)?;
    mount("none", KERNEL, "tmpfs", MountFlags::empty(), c"size=4k").map_err(failed)?;
    fs::create_dir_all(MOUNTS).map_err(EngineError::io("hide control groups"))?;
    let done = work();
    let kind = Some(LinkNameSpaceType::Mount);
    move_into_link_name_space(own.as_fd(), kind).map_err(failed)?;
    done
}

/// What of its limits a container can read.
pub(super) enum Readable {
    /// Version 1: these controllers' directories are bound in the runtime directory.
    Bound(Vec<&'static str>),
    /// Version 2: its own part of the hierarchy.
    Unified,
}

/// Makes the groups of version 1, and what of them the container can read if it has limits.
pub(super) fn prepare(
    plan: &Plan,
    dir: &Path,
    hierarchies: &Hierarchies,
    cgroup: &Cgroup,
) -> Result<Readable, EngineError> {
    if hierarchies.is_unified() {
        return Ok(Readable::Unified);
    }
    cgroup.make()?;
    let mut names = Vec::new();
    if plan.limits.memory.is_some() || plan.limits.cpus.is_some() {
        for (name, file) in READABLE {
            let Some(path) = cgroup.file(file) else { continue };
            bind(&path, &bound(dir, name))
                .map_err(EngineError::io(format!("bind the limits of `{name}`")))?;
            names.push(name);
        }
    }
    Ok(Readable::Bound(names))
}

/// The controllers whose limits programs look at, with a file of each.
const READABLE: [(&str, &str); 2] =
    [("memory", "memory.limit_in_bytes"), ("cpu", "cpu.cfs_quota_us")];

fn bind(file: &Path, target: &Path) -> io::Result<()> {
    fs::create_dir_all(target)?;
    Ok(mount_bind(file.parent().unwrap_or(file), target)?)
}

/// Where the directory of a limit is bound in a runtime directory: under a name that does not look
/// like a hierarchy.
pub(super) fn bound(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("limit-of-{name}s"))
}

/// Everything that may be bound in a runtime directory.
pub(super) fn bounds(dir: &Path) -> [PathBuf; 2] {
    READABLE.map(|(name, _)| bound(dir, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_membership_has_controllers_and_a_path() {
        let cpu = Some(("cpu,cpuacct".to_owned(), PathBuf::from("user/1")));
        assert_eq!(membership("4:cpu,cpuacct:/user/1"), cpu);
        assert_eq!(membership("0::/"), Some((String::new(), PathBuf::new())));
    }

    proptest! {
        #[test]
        fn any_line_is_a_membership_or_none(line in ".{0,80}") {
            if let Some((_, path)) = membership(&line) {
                prop_assert!(path.is_relative());
            }
        }
    }
}
