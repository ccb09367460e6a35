//! Removing what is left of networks whose processes are gone.

use crate::error::NetworkError;
use crate::files::{self, Files};
use crate::host_rules::{self, is_link, uplink_name};
use crate::namespace::Namespace;
use crate::process::Process;
use crate::state::State;
use rustix::fs::FlockOperation;
use std::{fs::File, time::Duration};
use tokio::time::{Instant, sleep};

/// How long links may take to go after their namespace (about 30 ms).
const LINKS_GO_WITHIN: Duration = Duration::from_secs(3);

/// How long the lock of a killed process may be held.
const LOCKS_OPEN_WITHIN: Duration = Duration::from_millis(500);

/// How often is looked whether they went.
const LOOK: Duration = Duration::from_millis(10);

/// Who owns a network, if somebody does.
pub(crate) fn owner(files: &Files) -> Option<Process> {
    state(files)?.owner
}

fn state(files: &Files) -> Option<State> {
    serde_json::from_slice(&files::read(&files.state()).ok()?).ok()
}

/// Removes a network if its helper is dead and nobody is inside or owns it. Says whether it did.
pub(crate) async fn network(files: &Files) -> Result<bool, NetworkError> {
    let lock = match File::open(files.lock()) {
        Ok(file) => file,
        // It is being created.
        Err(_) if files.holder().is_none() => return Ok(false),
        Err(error) => return Err(NetworkError::io("open the lock of a network")(error)),
    };
    if !is_free(&lock, files).await {
        return Ok(false);
    }
    let state = state(files);
    if state.as_ref().is_some_and(is_wanted) {
        return Ok(false);
    }
    if let Some(holder) = files.holder() {
        holder.kill().map_err(NetworkError::io("end the holder of a network"))?;
    }
    files.remove().map_err(NetworkError::io("remove the directory of a network"))?;
    if let Some(uplink) = state.and_then(|state| state.uplink) {
        wait_for_link(&uplink_name(uplink)).await;
    }
    Ok(true)
}

/// Whether no helper holds the lock. That of a killed one is held a moment longer.
async fn is_free(lock: &File, files: &Files) -> bool {
    let deadline = Instant::now() + LOCKS_OPEN_WITHIN;
    while rustix::fs::flock(lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        if files.holder().is_some() || Instant::now() > deadline {
            return false;
        }
        sleep(LOOK).await;
    }
    true
}

/// Whether somebody owns a network or lives in it.
fn is_wanted(state: &State) -> bool {
    match state.owner {
        Some(owner) => owner.is_alive(),
        None => state.members.values().any(|place| place.process.is_alive()),
    }
}

async fn wait_for_link(name: &str) {
    let deadline = Instant::now() + LINKS_GO_WITHIN;
    while is_link(name) && Instant::now() < deadline {
        sleep(LOOK).await;
    }
}

/// Removes rules on the host that belong to no link.
pub(crate) async fn host() -> Result<(), NetworkError> {
    let host = Namespace::current().map_err(NetworkError::io("look at the namespace"))?;
    host_rules::sweep(&host).await.map_err(|fault| NetworkError::Unavailable(fault.to_string()))
}
