//! The helper process of one network, and the process that holds its namespace.
//!
//! The helper serves names and requests. It stays in the host's namespace and keeps the network's
//! open. The holder lives in the network's namespace, so that a helper that was killed loses
//! nothing: the next one finds the namespace through the holder. Each starts the other again when
//! that was killed.

mod holder;
mod kernel;
mod ports;
mod requests;
mod start;

pub(crate) use start::short;

use crate::error::Fault;
use crate::files::Files;
use crate::process::Process;
use fairway_engine::GroupId;
use serde::{Deserialize, Serialize};
use std::{ffi::OsString, io::Write as _, path::PathBuf, process::ExitCode};

/// The hidden subcommand under which a program that uses networks must call [`network_main`]
/// before anything else.
pub const SUBCOMMAND: &str = "__network";

/// What a starting process says on its standard output, one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Announcement {
    /// It serves.
    Ready,
    /// Another helper serves this network.
    Busy,
    /// It cannot serve.
    Failed(Fault),
}

/// What a process of this program is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    /// Serve a network.
    Serve(Order),
    /// Make its namespace and keep it.
    Hold(Order),
    /// Keep the namespace at this path.
    HoldThis(Order, PathBuf),
}

/// Which network, and who owns it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) directory: PathBuf,
    pub(crate) id: GroupId,
    pub(crate) owner: Option<Process>,
}

impl Order {
    fn files(&self) -> Files {
        Files::at(self.directory.clone())
    }
}

/// Runs the helper of a network. The arguments are those after [`SUBCOMMAND`].
pub fn network_main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let outcome = match parse(arguments) {
        Ok(Role::Serve(order)) => start::serve(&order),
        Ok(Role::Hold(order)) => holder::hold_new(&order),
        Ok(Role::HoldThis(order, path)) => holder::hold_this(&order, &path),
        Err(fault) => Err(fault),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            // Nobody is left to hear that nobody listens.
            drop(announce(&Announcement::Failed(fault)));
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Role, Fault> {
    let wrong = || Fault::Refused("a helper is started by Fairway itself".to_owned());
    let argument = arguments.into_iter().next().ok_or_else(wrong)?;
    serde_json::from_str(argument.to_str().ok_or_else(wrong)?).map_err(|_| wrong())
}

fn announce(announcement: &Announcement) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(announcement)?;
    line.push(b'\n');
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}

/// Leaves the session and the directory of who started this process.
fn detach() -> Result<(), Fault> {
    match rustix::process::setsid() {
        // It leads a session already.
        Ok(_) | Err(rustix::io::Errno::PERM) => {}
        Err(error) => return Err(Fault::doing("start a session")(error.into())),
    }
    std::env::set_current_dir("/").map_err(Fault::doing("leave the directory"))
}
