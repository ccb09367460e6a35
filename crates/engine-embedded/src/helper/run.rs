//! The life of a helper: it prepares the files, starts the container, and watches it.

use super::{
    cgroup::{Cgroup, Hierarchies},
    executor::{Sealed, StandardInput},
    limits,
    pump::{Outputs, Pump},
    root_dir::{prepare_root, unmount_root, write_names},
    spec,
    supervise::{self, Running},
    visitors::Visitors,
};
use crate::{
    log::LogWriter,
    plan::{Networking, Plan},
    process::ProcessId,
    remains,
    state::{State, now},
    text::chain,
    wire::{Asker, Connected, FromHelper, SOCKET},
};
use fairway_engine::EngineError;
use libcontainer::{
    container::{Container, builder::ContainerBuilder},
    error::LibcontainerError,
    syscall::syscall::SyscallType,
};
use rustix::{
    fs::Mode,
    mount::{MountPropagationFlags, mount_change},
    process::{setsid, umask},
    thread::{UnshareFlags, unshare_unsafe},
};
use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    os::{
        fd::AsFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::Path,
};

/// The id of a container in the runtime library's own records, which lie in its runtime directory.
pub(super) const LIBRARY_ID: &str = "oci";
/// As in Docker: low ports and pings need no privilege in a network of one's own.
const SYSCTLS: [(&str, &str); 2] = [
    ("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"),
    ("/proc/sys/net/ipv4/ping_group_range", "0 2147483647"),
];

/// Runs the container of a plan until it is to be removed; returns the exit code of this process.
pub(super) fn run(plan: &Path) -> i32 {
    let Ok(stream) = std::io::stdin().as_fd().try_clone_to_owned() else { return 1 };
    let mut asker = Asker::new(UnixStream::from(stream));
    // The asker's terminal is not the helper's: Ctrl-C ends the asker.
    if let Err(error) = setsid() {
        return fail(&mut asker, &EngineError::io("leave the session")(error.into()));
    }
    match Plan::load(plan) {
        Ok(plan) => live(&plan, &mut asker),
        Err(error) => fail(&mut asker, &error),
    }
}

fn live(plan: &Plan, asker: &mut Asker) -> i32 {
    match start(plan, asker) {
        Ok(running) => {
            // If the asker is gone, the owner is watched, or whoever comes next adopts it.
            asker.say(&FromHelper::Running).unwrap_or_default();
            supervise::supervise(plan, running)
        }
        Err(error) => {
            // Once this is told, the name is free.
            let removed = unmount_root(&plan.places.container(&plan.id))
                .and_then(|()| remains::remove(&plan.places, &plan.id));
            fail(asker, &removed.err().unwrap_or(error))
        }
    }
}

/// Tells why nothing runs. If the asker is gone, nobody needs to know.
fn fail(asker: &mut Asker, error: &EngineError) -> i32 {
    drop(asker.say(&FromHelper::Failed(chain(error))));
    1
}

fn start(plan: &Plan, asker: &mut Asker) -> Result<Running, EngineError> {
    let dir = plan.places.container(&plan.id);
    umask(Mode::from_raw_mode(0o022));
    enter_namespaces()?;
    if plan.network != Networking::None {
        asker
            .say(&FromHelper::Unconnected(std::process::id()))
            .map_err(EngineError::io("ask for a network"))?;
    }
    let user = prepare_root(plan, &dir)?;
    let connected = match &plan.network {
        Networking::Group { .. } => {
            asker.connected().map_err(EngineError::io("wait for the network"))?
        }
        Networking::None => Connected {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            resolver: String::new(),
        },
    };
    write_names(plan, &dir, &connected)?;
    let hierarchies = Hierarchies::here()?;
    let cgroup = Cgroup::new(&hierarchies, &plan.places.cgroup(&plan.id));
    let readable = limits::prepare(plan, &dir, &hierarchies, &cgroup)?;
    let spec = spec::container(plan, &user, &dir, &readable);
    let bytes = serde_json::to_vec(&spec).expect("a specification is plain data");
    fs::write(dir.join("config.json"), bytes)
        .map_err(EngineError::io("write the specification"))?;
    let log = plan.places.container_files(&plan.id).join("log");
    let log = LogWriter::create(&log, plan.log_limit).map_err(EngineError::io("make the log"))?;
    let (pump, outputs) = Pump::new(log).map_err(EngineError::io("make pipes"))?;
    let listener = listen(&dir)?;
    let init = match hierarchies {
        Hierarchies::Unified(_) => let_run(create(&dir, outputs)?)?,
        Hierarchies::Separate(_) => {
            let container = cgroup.inside(|| create(&dir, outputs))?;
            cgroup.limit(&plan.limits)?;
            let_run(container)?
        }
    };
    let state = State {
        helper: ProcessId::own()?,
        init,
        address: connected.address,
        started: now(),
        ready: false,
        exit: None,
    };
    state.save(&dir)?;
    Ok(Running { dir, state, cgroup, pump, visitors: Visitors::new(listener) })
}

#[expect(unsafe_code, reason = "there is no safe unshare")]
fn enter_namespaces() -> Result<(), EngineError> {
    let flags = UnshareFlags::NEWNS | UnshareFlags::NEWNET;
    // SAFETY: the file table is not unshared, and this process has one thread.
    let entered = unsafe { unshare_unsafe(flags) };
    let slave = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    entered
        .and_then(|()| mount_change("/", slave))
        .map_err(|error| EngineError::io("make namespaces")(error.into()))?;
    // These are of the network namespace of whoever writes.
    SYSCTLS.iter().try_for_each(|(path, value)| {
        fs::write(path, value).map_err(EngineError::io(format!("write `{path}`")))
    })
}

fn listen(dir: &Path) -> Result<UnixListener, EngineError> {
    // A path in a deep directory is too long for a socket's address.
    let before = std::env::current_dir().map_err(EngineError::io("read the working directory"))?;
    std::env::set_current_dir(dir)
        .and_then(|()| UnixListener::bind(SOCKET))
        .and_then(|listener| std::env::set_current_dir(before).map(|()| listener))
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(EngineError::io("make the container's socket"))
}

fn refused(error: &LibcontainerError) -> EngineError {
    EngineError::Broken(chain(error))
}

/// Creates the container; its first process waits for [`let_run`].
fn create(dir: &Path, outputs: Outputs) -> Result<Container, EngineError> {
    let sealed = Sealed::new(StandardInput::Plain)
        .map_err(EngineError::io("compile the filter of system calls"))?;
    let stdin = File::open("/dev/null").map_err(EngineError::io("open `/dev/null`"))?;
    ContainerBuilder::new(LIBRARY_ID.to_owned(), SyscallType::default())
        .with_root_path(dir)
        .map_err(|error| refused(&error))?
        .with_executor(sealed)
        .with_stdin(stdin)
        .with_stdout(outputs.stdout)
        .with_stderr(outputs.stderr)
        .as_init(dir)
        .with_systemd(false)
        .build()
        .map_err(|error| refused(&error))
}

fn let_run(mut container: Container) -> Result<ProcessId, EngineError> {
    let pid = container.pid().and_then(|pid| u32::try_from(pid.as_raw()).ok());
    let init = pid.and_then(ProcessId::of);
    container.start().map_err(|error| refused(&error))?;
    init.ok_or_else(|| EngineError::Broken("the first process ended before its start".to_owned()))
}
