//! Idle connections to backends, for one listener. The newest is used first, so that what is not
//! needed grows old and is closed.

use crate::{
    live::{BackendId, LiveBackend},
    upstream::Upstream,
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

struct Idle {
    upstream: Box<Upstream>,
    since: Instant,
}

/// Idle connections by backend.
pub(crate) struct Pool {
    idle: Mutex<HashMap<BackendId, Vec<Idle>>>,
    per_backend: usize,
    lifetime: Duration,
}

impl Pool {
    pub(crate) fn new(per_backend: usize, lifetime: Duration) -> Self {
        Self { idle: Mutex::default(), per_backend, lifetime }
    }

    /// Takes the connection that was used last, if it is not too old.
    pub(crate) fn take(&self, backend: BackendId, now: Instant) -> Option<Box<Upstream>> {
        let mut idle = self.lock();
        let connections = idle.get_mut(&backend)?;
        let newest = connections.pop()?;
        if now.saturating_duration_since(newest.since) < self.lifetime {
            return Some(newest.upstream);
        }
        connections.clear();
        None
    }

    /// Keeps a connection for later, unless there are enough or the backend is gone.
    pub(crate) fn put(&self, backend: &LiveBackend, upstream: Box<Upstream>, now: Instant) {
        let mut idle = self.lock();
        if backend.is_retired() {
            return;
        }
        let connections = idle.entry(backend.id).or_default();
        if connections.len() < self.per_backend {
            connections.push(Idle { upstream, since: now });
        }
    }

    /// Closes the connections to a backend that has been retired.
    pub(crate) fn forget(&self, backend: BackendId) {
        self.lock().remove(&backend);
    }

    /// Closes what has been idle for too long.
    pub(crate) fn sweep(&self, now: Instant) {
        self.lock().retain(|_, connections| {
            connections.retain(|idle| now.saturating_duration_since(idle.since) < self.lifetime);
            !connections.is_empty()
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<BackendId, Vec<Idle>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
