//! The process that keeps a namespace alive by being in it, and starts the helper again.

use super::{Announcement, Order, Role, SUBCOMMAND, announce, detach};
use crate::error::Fault;
use crate::files::Files;
use crate::namespace::Namespace;
use crate::process::Process;
use nix::sched::{CloneFlags, setns, unshare};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::FlockOperation;
use std::{
    fs::File,
    io,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

/// How often a holder looks whether it is still the one.
const LOOK: Timespec = Timespec { tv_sec: 3, tv_nsec: 0 };

/// Pauses between attempts to start a helper that ends at once.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// A helper that lived so long did not end at once.
const LONG: Duration = Duration::from_secs(1);

/// Makes a namespace and keeps it.
pub(super) fn hold_new(order: &Order) -> Result<(), Fault> {
    let host = Namespace::current().map_err(Fault::doing("look at the host's namespace"))?;
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| not_permitted(&error.into()))?;
    hold(order, host)
}

/// Keeps a namespace that is there.
pub(super) fn hold_this(order: &Order, path: &Path) -> Result<(), Fault> {
    let host = Namespace::current().map_err(Fault::doing("look at the host's namespace"))?;
    File::open(path)
        .and_then(|inner| setns(inner, CloneFlags::CLONE_NEWNET).map_err(io::Error::from))
        .map_err(Fault::doing("enter the network's namespace"))?;
    hold(order, host)
}

/// Keeps the namespace it is in until the owner ends or another holder, or none, is wanted.
fn hold(order: &Order, host: Namespace) -> Result<(), Fault> {
    detach()?;
    let me = Process::current().map_err(Fault::doing("look at this process"))?;
    let files = order.files();
    files.set_holder(me).map_err(Fault::doing("record the holder"))?;
    announce(&Announcement::Ready).map_err(Fault::doing("say that all is ready"))?;
    let owner = match order.owner.map(Process::descriptor) {
        Some(Ok(descriptor)) => Some(descriptor),
        Some(Err(_)) => return Ok(()),
        None => None,
    };
    let tended = order.clone();
    std::thread::spawn(move || tend(&tended, &host));
    loop {
        let mut watched: Vec<PollFd<'_>> =
            owner.iter().map(|owner| PollFd::new(owner, PollFlags::IN)).collect();
        match poll(&mut watched, Some(&LOOK)) {
            Ok(0) if files.holder() == Some(me) => {}
            Err(rustix::io::Errno::INTR) => {}
            _ => return Ok(()),
        }
    }
}

/// Starts the helper again whenever none holds the lock of the network. Ends with its directory.
fn tend(order: &Order, host: &Namespace) {
    let [shortest, longest] = PAUSES;
    let mut pause = shortest;
    while wait_for_lock(&order.files()).is_ok() {
        let begin = Instant::now();
        let ended = start_helper(order, host).and_then(|mut helper| helper.wait());
        if ended.is_ok() && begin.elapsed() > LONG {
            pause = shortest;
        } else {
            std::thread::sleep(pause);
            pause = (pause * 2).min(longest);
        }
    }
}

/// Waits until no helper holds the lock.
fn wait_for_lock(files: &Files) -> io::Result<()> {
    let lock = File::open(files.lock())?;
    while let Err(error) = rustix::fs::flock(&lock, FlockOperation::LockExclusive) {
        if error != rustix::io::Errno::INTR {
            return Err(error.into());
        }
    }
    if files.exists() { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
}

fn start_helper(order: &Order, host: &Namespace) -> io::Result<std::process::Child> {
    let role = serde_json::to_string(&Role::Serve(order.clone())).expect("an order is plain data");
    let mut command = std::process::Command::new("/proc/self/exe");
    command.arg(SUBCOMMAND).arg(role).stdin(Stdio::null()).stdout(Stdio::null());
    host.enter(|| command.spawn())?
}

fn not_permitted(error: &io::Error) -> Fault {
    if error.kind() == io::ErrorKind::PermissionDenied {
        Fault::Unavailable("networks need root; run this with `sudo`".to_owned())
    } else {
        Fault::Refused(format!("could not create a network namespace: {error}"))
    }
}

/// Starts a holder, of a new namespace if none is given. Gives the namespace once it is held.
pub(super) async fn start(order: &Order, inside: Option<&Namespace>) -> Result<Namespace, Fault> {
    let order = order.clone();
    let role = match inside {
        Some(namespace) => Role::HoldThis(order, namespace.path()),
        None => Role::Hold(order),
    };
    let role = serde_json::to_string(&role).expect("an order is plain data");
    let mut command = Command::new("/proc/self/exe");
    command.arg(SUBCOMMAND).arg(role).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(Fault::doing("start a holder"))?;
    let stdout = child.stdout.take().expect("stdout is piped");
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .await
        .map_err(Fault::doing("listen to the holder"))?;
    match serde_json::from_str(&line) {
        Ok(Announcement::Ready) => {}
        Ok(Announcement::Failed(fault)) => return Err(fault),
        Ok(Announcement::Busy) | Err(_) => {
            return Err(Fault::Refused("the holder ended at once".to_owned()));
        }
    }
    let pid = child.id().ok_or_else(|| Fault::Refused("the holder ended at once".to_owned()))?;
    tokio::spawn(async move { child.wait().await });
    Namespace::of(pid).map_err(Fault::doing("open the namespace"))
}

/// The namespace that a living holder keeps, if it is not the host's.
pub(super) fn find(files: &Files, host: &Namespace) -> Option<Namespace> {
    let namespace = Namespace::of(files.holder()?.pid).ok()?;
    let (id, host) = (namespace.id().ok()?, host.id().ok()?);
    (id != host).then_some(namespace)
}
