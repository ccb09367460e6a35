//! All networks of one runtime directory.

use crate::error::NetworkError;
use crate::files::Files;
use crate::helper::Order;
use crate::network::Network;
use crate::process::Process;
use crate::sweep;
use fairway_engine::{GroupId, Keep};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long a network whose owner ended may take to go.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// How often is looked whether it went.
const LOOK: Duration = Duration::from_millis(20);

/// All networks of one runtime directory.
#[derive(Debug, Clone)]
pub struct Networks {
    directory: PathBuf,
    program: Arc<PathBuf>,
}

impl Networks {
    /// The networks in `networks/` of a runtime directory. `program` is one that calls
    /// [`network_main`](crate::network_main) when its first argument is
    /// [`SUBCOMMAND`](crate::SUBCOMMAND).
    pub fn open(runtime: &Path, program: impl Into<PathBuf>) -> Self {
        Self { directory: runtime.join("networks"), program: Arc::new(program.into()) }
    }

    /// Creates a network, or adopts one that is there. With [`Keep::WhileOwned`] it belongs to
    /// the calling process and goes with it.
    pub async fn create(&self, id: &GroupId, keep: Keep) -> Result<Network, NetworkError> {
        let me = Process::current().map_err(NetworkError::io("look at this process"))?;
        let owner = match keep {
            Keep::WhileOwned => Some(me),
            Keep::UntilClosed => None,
        };
        let deadline = Instant::now() + GONE_WITHIN;
        loop {
            let network = self.network(id, owner);
            network.start().await?;
            match network.describe().await?.owner {
                None => return Ok(network),
                Some(owner) if owner == me => return Ok(network),
                Some(owner) if owner.is_alive() => {
                    return Err(NetworkError::Owned { network: id.clone(), pid: owner.pid });
                }
                Some(_) => self.wait_until_gone(id, deadline).await?,
            }
        }
    }

    /// A network that is there.
    pub fn get(&self, id: &GroupId) -> Option<Network> {
        if !Files::of(&self.directory, id).state().exists() {
            return None;
        }
        let owner = sweep::owner(&Files::of(&self.directory, id));
        if owner.is_some_and(|owner| !owner.is_alive()) {
            return None;
        }
        Some(self.network(id, owner))
    }

    /// The ids of the networks that are there.
    pub fn list(&self) -> Result<Vec<GroupId>, NetworkError> {
        let listed = match fs::read_dir(&self.directory) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(other) => return Err(NetworkError::io("list networks")(other)),
        };
        let names = listed.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut ids: Vec<GroupId> = names.filter_map(|name| name.parse().ok()).collect();
        ids.sort();
        Ok(ids)
    }

    /// Removes what was left by networks of which nobody is alive, and rules of uplinks that are
    /// gone. Gives the ids of the removed networks.
    pub async fn sweep(&self) -> Result<Vec<GroupId>, NetworkError> {
        let mut swept = Vec::new();
        for id in self.list()? {
            if sweep::network(&Files::of(&self.directory, &id)).await? {
                swept.push(id);
            }
        }
        sweep::host().await?;
        Ok(swept)
    }

    fn network(&self, id: &GroupId, owner: Option<Process>) -> Network {
        let files = Files::of(&self.directory, id);
        let order = Order { directory: files.directory().to_owned(), id: id.clone(), owner };
        Network::new(order, Arc::clone(&self.program))
    }

    async fn wait_until_gone(&self, id: &GroupId, deadline: Instant) -> Result<(), NetworkError> {
        let files = Files::of(&self.directory, id);
        while files.exists() && !sweep::network(&files).await? {
            if Instant::now() > deadline {
                return Err(NetworkError::Timeout { network: id.clone(), limit: GONE_WITHIN });
            }
            sleep(LOOK).await;
        }
        Ok(())
    }
}
