//! The process that keeps a namespace alive by being in it.

use super::{Announcement, Order, Role, SUBCOMMAND, announce, detach};
use crate::error::Fault;
use crate::files::Files;
use crate::namespace::Namespace;
use crate::process::Process;
use nix::sched::{CloneFlags, unshare};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{io, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

/// How often a holder looks whether it is still the one.
const LOOK: Timespec = Timespec { tv_sec: 3, tv_nsec: 0 };

/// Makes a namespace and keeps it.
pub(super) fn hold_new(order: &Order) -> Result<(), Fault> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| not_permitted(&error.into()))?;
    hold(order)
}

/// Keeps the namespace it is in until the owner ends or another holder, or none, is wanted.
pub(super) fn hold(order: &Order) -> Result<(), Fault> {
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
    let role = if inside.is_some() { Role::HoldHere(order) } else { Role::Hold(order) };
    let role = serde_json::to_string(&role).expect("an order is plain data");
    let mut command = Command::new("/proc/self/exe");
    command.arg(SUBCOMMAND).arg(role).stdin(Stdio::null()).stdout(Stdio::piped());
    let spawned = match inside {
        Some(namespace) => namespace.enter(|| command.spawn()),
        None => Ok(command.spawn()),
    };
    let mut child = spawned
        .map_err(Fault::doing("enter the namespace"))?
        .map_err(Fault::doing("start a holder"))?;
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
