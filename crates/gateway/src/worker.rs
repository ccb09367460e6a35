//! What the connections of one listener share.

use crate::{
    access::AccessLog,
    chance::Chance,
    connector::Connector,
    drain::Drain,
    live::{Live, LiveBackend},
    pool::Pool,
    settings::Settings,
    table::Table,
};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Instant,
};
use tokio::sync::Notify;

/// What all listeners of a gateway share.
pub(crate) struct Shared {
    settings: Settings,
    connector: Arc<dyn Connector>,
    log: Option<AccessLog>,
    live: RwLock<Arc<Live>>,
    users: Mutex<Users>,
}

/// Who uses the tables.
#[derive(Default)]
struct Users {
    workers: Vec<Weak<Worker>>,
    /// Tables that were replaced and may still be in use.
    superseded: Vec<Weak<Live>>,
}

/// What the connections of one listener share. Connections to backends stay with the listener,
/// because its runtime watches them.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    pub(crate) epoch: Instant,
    pub(crate) pool: Pool,
    pub(crate) chance: Chance,
    is_draining: AtomicBool,
    pub(crate) drain: Notify,
}

impl Shared {
    pub(crate) fn new(
        settings: Settings,
        connector: Arc<dyn Connector>,
        log: Option<AccessLog>,
    ) -> Self {
        let (live, users) = (RwLock::default(), Mutex::default());
        Self { settings, connector, log, live, users }
    }

    /// Serves by another table from the next request on.
    pub(crate) fn set_table(&self, table: Arc<Table>) -> Drain {
        let mut users = self.users(); // Held, so that tables are replaced one after the other.
        let old = self.live();
        let (next, gone) = old.replaced_by(table);
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        for backend in &gone {
            backend.retire();
        }
        users.forget(&gone);
        users.superseded.push(Arc::downgrade(&old));
        let moved = old.moved.clone();
        drop(old);
        users.superseded.retain(|live| live.strong_count() > 0);
        Drain::new(gone, users.superseded.clone(), moved)
    }

    fn live(&self) -> Arc<Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn users(&self) -> MutexGuard<'_, Users> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Users {
    /// Closes idle connections to retired backends.
    fn forget(&mut self, retired: &[Arc<LiveBackend>]) {
        self.workers.retain(|worker| worker.strong_count() > 0);
        for worker in self.workers.iter().filter_map(Weak::upgrade) {
            for backend in retired {
                worker.pool.forget(backend.id);
            }
        }
    }
}

impl Worker {
    pub(crate) fn start(shared: &Arc<Shared>) -> Arc<Self> {
        let (limits, timeouts) = (&shared.settings.limits, &shared.settings.timeouts);
        let worker = Arc::new(Self {
            epoch: Instant::now(),
            pool: Pool::new(limits.idle_per_backend, timeouts.pool),
            chance: Chance::new(),
            is_draining: AtomicBool::new(false),
            drain: Notify::new(),
            shared: shared.clone(),
        });
        shared.users().workers.push(Arc::downgrade(&worker));
        worker
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    pub(crate) fn connector(&self) -> &dyn Connector {
        &*self.shared.connector
    }

    pub(crate) fn access_log(&self) -> Option<&AccessLog> {
        self.shared.log.as_ref()
    }

    pub(crate) fn live(&self) -> Arc<Live> {
        self.shared.live()
    }

    /// Tells every connection to end after the request it is at.
    pub(crate) fn start_draining(&self) {
        self.is_draining.store(true, Relaxed);
        self.drain.notify_waiters();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining.load(Relaxed)
    }
}
