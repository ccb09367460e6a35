//! The connection of who appends, and the telling of others.

use crate::{
    address::Address,
    connection::{APPENDER_PATIENCE, Link},
    error::Fault,
    task::Task,
};
use std::sync::Arc;
use tokio::sync::Notify;

/// A connection, with a task that tells other processes what it committed.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) link: Arc<Link>,
    _teller: Task,
}

impl Session {
    /// Connects. `committed` is told of commits that others shall know of.
    pub(crate) async fn start(address: &Address, committed: Arc<Notify>) -> Result<Self, Fault> {
        let link = Arc::new(Link::connect(address, APPENDER_PATIENCE).await?);
        link.run(&format!("LISTEN {}", address.appender_channel())).await?;
        let teller = Task::start(tell(link.clone(), address.events_channel(), committed));
        Ok(Self { link, _teller: teller })
    }
}

/// Tells other processes of commits, after them: a hint, which may be lost with the connection.
async fn tell(link: Arc<Link>, channel: String, committed: Arc<Notify>) {
    loop {
        committed.notified().await;
        if link.query("SELECT pg_notify($1, '')", &[&channel]).await.is_err() {
            return;
        }
    }
}
