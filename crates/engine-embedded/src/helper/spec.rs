//! The OCI runtime specification of a container: Docker's defaults for capabilities, devices,
//! mounts, masked and read-only paths.

use super::{
    limits::{CPU_PERIOD, PIDS_DEFAULT, Readable, bound},
    seccomp::INSTALLER,
    user::User,
};
use crate::plan::Plan;
use fairway_engine::RootAccess;
use fairway_model::config::Resources;
use rustix::process::{Resource, getrlimit};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, path::Path};

/// Most open files of a process (Docker's default), if the host allows as many.
const FILES_MAX: u64 = 1 << 20;

/// Docker's default capabilities.
const CAPABILITIES: [&str; 14] = [
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

const MASKED: [&str; 11] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
];

const READ_ONLY: [&str; 5] =
    ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// The specification of a container. `dir` is its runtime directory.
pub(super) fn container(plan: &Plan, user: &User, dir: &Path, readable: &Readable) -> Value {
    let env = environment(plan.process.env.clone(), &plan.process.hostname, user);
    json!({
        "ociVersion": "1.0.2",
        "process": process(&plan.process.args, &env, &plan.process.cwd, user),
        "root": { "path": "rootfs", "readonly": plan.root == RootAccess::ReadOnly },
        "hostname": plan.process.hostname,
        "mounts": mounts(dir, readable),
        "linux": {
            "cgroupsPath": plan.places.cgroup(&plan.id),
            "namespaces": namespaces(),
            "resources": matches!(readable, Readable::Unified).then(|| resources(&plan.limits)),
            "maskedPaths": MASKED,
            "readonlyPaths": READ_ONLY,
        },
    })
}

/// A process of a container: its first one, or one that is run in it later.
pub(super) fn process(args: &[String], env: &[String], cwd: &str, user: &User) -> Value {
    let files = getrlimit(Resource::Nofile).maximum.unwrap_or(FILES_MAX).min(FILES_MAX);
    let capabilities: Vec<_> = CAPABILITIES.into_iter().chain([INSTALLER]).collect();
    json!({
        "terminal": false,
        "user": { "uid": user.uid, "gid": user.gid, "additionalGids": user.groups },
        "args": args,
        "env": env,
        "cwd": cwd,
        "capabilities": {
            "bounding": capabilities,
            "effective": capabilities,
            "permitted": capabilities,
            "inheritable": [],
            "ambient": [],
        },
        "rlimits": [{ "type": "RLIMIT_NOFILE", "hard": files, "soft": files }],
    })
}

/// The variables of a process: those given, `HOSTNAME` and `HOME`.
pub(super) fn environment(
    mut env: BTreeMap<String, String>,
    hostname: &str,
    user: &User,
) -> Vec<String> {
    env.entry("HOSTNAME".to_owned()).or_insert_with(|| hostname.to_owned());
    env.entry("HOME".to_owned())
        .or_insert_with(|| user.home.clone().unwrap_or_else(|| "/".to_owned()));
    env.into_iter().map(|(key, value)| format!("{key}={value}")).collect()
}

/// The network namespace is the helper's.
fn namespaces() -> Vec<Value> {
    let mut namespaces: Vec<_> = ["pid", "ipc", "uts", "mount", "cgroup"]
        .iter()
        .map(|kind| json!({ "type": kind }))
        .collect();
    let path = format!("/proc/{}/ns/net", std::process::id());
    namespaces.push(json!({ "type": "network", "path": path }));
    namespaces
}

/// The limits, for version 2 of control groups.
fn resources(limits: &Resources) -> Value {
    let mut resources = Map::new();
    let pids = limits.pids.unwrap_or(PIDS_DEFAULT);
    resources.insert("pids".to_owned(), json!({ "limit": pids }));
    resources.insert("devices".to_owned(), json!([{ "allow": false, "access": "rwm" }]));
    if let Some(memory) = limits.memory {
        resources.insert("memory".to_owned(), json!({ "limit": memory.0, "swap": memory.0 }));
    }
    if let Some(cpus) = limits.cpus {
        let quota = u64::from(cpus.milli) * CPU_PERIOD / 1000;
        resources.insert("cpu".to_owned(), json!({ "quota": quota, "period": CPU_PERIOD }));
    }
    Value::Object(resources)
}

fn mounts(dir: &Path, readable: &Readable) -> Vec<Value> {
    let mount = |at: &str, kind: &str, options: &[&str]| json!({ "destination": at, "type": kind, "source": kind, "options": options });
    let mut mounts = vec![
        mount("/proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount(
            "/dev/pts",
            "devpts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ),
        mount("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
        mount("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
        mount("/sys", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
    ];
    // Runtimes read their limits there; without limits they take the machine's.
    match readable {
        Readable::Unified => {
            let options = ["nosuid", "noexec", "nodev", "relatime", "ro"];
            mounts.push(mount("/sys/fs/cgroup", "cgroup", &options));
        }
        Readable::Bound(names) if names.is_empty() => {}
        Readable::Bound(names) => {
            let options = ["nosuid", "noexec", "nodev", "mode=755", "size=64k"];
            mounts.push(mount("/sys/fs/cgroup", "tmpfs", &options));
            mounts.extend(names.iter().map(|name| {
                json!({
                    "destination": format!("/sys/fs/cgroup/{name}"),
                    "type": "bind",
                    "source": bound(dir, name),
                    "options": ["bind", "rprivate", "ro", "nosuid", "noexec", "nodev"],
                })
            }));
        }
    }
    for file in ["hostname", "hosts", "resolv.conf"] {
        mounts.push(json!({
            "destination": format!("/etc/{file}"),
            "type": "bind",
            "source": dir.join(file),
            "options": ["bind", "rprivate"],
        }));
    }
    mounts
}
