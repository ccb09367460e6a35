//! What a Debian machine needs before a task can run.

use crate::shell::{self, Outcome};
use std::{path::Path, process::Command};

/// A program, or a file by its path, and the Debian package that brings it.
pub struct Tool {
    program: &'static str,
    package: &'static str,
}

const fn tool(program: &'static str, package: &'static str) -> Tool {
    Tool { program, package }
}

/// What Fairway itself calls: `nft` for service addresses, `mmdebstrap` for base images, `git` for
/// revisions.
pub const PRODUCT: &[Tool] =
    &[tool("git", "git"), tool("nft", "nftables"), tool("mmdebstrap", "mmdebstrap")];

/// What the tests call besides: real peers and the tools to look at a machine.
pub const TESTS: &[Tool] = &[
    tool("busybox", "busybox-static"),
    tool("ip", "iproute2"),
    tool("iptables", "iptables"),
    tool("python3", "python3"),
    tool("curl", "curl"),
    tool("nginx", "nginx-light"),
    tool("wrk", "wrk"),
    tool("mkfs.ext4", "e2fsprogs"),
    tool("xfs_io", "xfsprogs"),
    tool("eatmydata", "eatmydata"),
    tool("faketime", "faketime"),
    tool("node", "nodejs"),
    tool("npm", "npm"),
    tool("pg_ctlcluster", "postgresql"),
    tool("openssl", "openssl"),
    tool("/usr/lib/python3.11/ensurepip", "python3-venv"),
];

/// What benchmarks call: the peers and what measures them.
pub const BENCH: &[Tool] = &[
    tool("busybox", "busybox-static"),
    tool("ip", "iproute2"),
    tool("runc", "runc"),
    tool("dockerd", "docker.io"),
    tool("iptables", "iptables"),
    tool("buildah", "buildah"),
    tool("nginx", "nginx-light"),
    tool("pgrep", "procps"),
    tool("npm", "npm"),
    tool("pg_ctlcluster", "postgresql"),
    tool("/usr/lib/python3.11/ensurepip", "python3-venv"),
    tool("time", "time"),
    tool("wrk", "wrk"),
];

/// What fuzzing calls besides a Rust toolchain: a compiler for libFuzzer.
pub const FUZZ: &[Tool] = &[tool("c++", "g++")];

const FOLDERS: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Installs what is missing, or says exactly what is when this is not root.
pub fn prepare(tools: &[&[Tool]]) -> Outcome {
    let missing: Vec<&str> = tools
        .iter()
        .flat_map(|tools| tools.iter())
        .filter(|tool| !is_installed(tool.program))
        .map(|tool| tool.package)
        .collect();
    if !is_root()? {
        let install = match missing.as_slice() {
            [] => String::new(),
            missing => format!("\n  missing packages: apt-get install {}", missing.join(" ")),
        };
        return Err(format!("Fairway runs containers as root; use `sudo`{install}").into());
    }
    if missing.is_empty() {
        return Ok(());
    }
    shell::say(&format!("installing {}", missing.join(", ")));
    shell::run(apt().arg("update").arg("-qq"))?;
    shell::run(apt().args(["install", "-qq", "--yes", "--no-install-recommends"]).args(missing))
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").stdout(std::process::Stdio::null());
    command
}

fn is_installed(program: &str) -> bool {
    // An absolute path stands for itself when it is joined.
    FOLDERS.iter().any(|folder| Path::new(folder).join(program).exists())
}

fn is_root() -> Outcome<bool> {
    Ok(shell::read(Command::new("id").arg("-u"))?.trim() == "0")
}
