//! Connections of those who ask, kept for the next question.

use super::link::Link;
use crate::target::TargetError;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Most connections to a database that are kept while nobody asks.
const IDLE_MAX: usize = 4;

/// Connections that nobody uses now, by address. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Links(Arc<Mutex<HashMap<String, Vec<Link>>>>);

impl fmt::Debug for Links {
    /// Says nothing of addresses, which have passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").finish_non_exhaustive()
    }
}

impl Links {
    /// A connection on which statements have just been run. One that was kept may have ended
    /// meanwhile, so that another is tried.
    pub(super) async fn take(&self, address: &str, begin: &str) -> Result<Link, TargetError> {
        while let Some(link) = self.kept(address) {
            if link.run(begin).await.is_ok() {
                return Ok(link);
            }
        }
        let link = Link::connect(address).await?;
        link.run(begin).await?;
        Ok(link)
    }

    /// Keeps a connection without a transaction for the next question.
    pub(super) fn put(&self, address: &str, link: Link) {
        let mut all = self.all();
        let kept = all.entry(address.to_owned()).or_default();
        if kept.len() < IDLE_MAX {
            kept.push(link);
        }
    }

    fn kept(&self, address: &str) -> Option<Link> {
        self.all().get_mut(address)?.pop()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Vec<Link>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
