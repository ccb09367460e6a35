//! The table in use, with what is known of its backends while it is. A backend that stays keeps its
//! counts and connections when the table is replaced.

use crate::{
    balance::{Shares, Standing},
    table::{ServiceIndex, Table},
};
use fairway_model::ServiceName;
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool, AtomicU64, AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// Tells backends apart, also those that had the same address at different times.
pub(crate) type BackendId = u64;

/// The table in use.
#[derive(Default)]
pub(crate) struct Live {
    pub(crate) table: Arc<Table>,
    services: Vec<LiveService>,
    /// Told when a request leaves a retired backend, and when a table has no more users.
    pub(crate) moved: Arc<Notify>,
}

/// A service in use.
pub(crate) struct LiveService {
    pub(crate) name: Arc<ServiceName>,
    shares: Shares,
    backends: Vec<Arc<LiveBackend>>,
}

/// A backend in use.
#[derive(Debug)]
pub(crate) struct LiveBackend {
    pub(crate) id: BackendId,
    pub(crate) address: SocketAddr,
    in_flight: AtomicUsize,
    is_retired: AtomicBool,
    /// Until when others are preferred, because it did not accept a connection.
    rests_until: Mutex<Option<Instant>>,
    moved: Arc<Notify>,
}

/// One request in flight at a backend, counted until dropped.
#[derive(Debug)]
pub(crate) struct InFlight(pub(crate) Arc<LiveBackend>);

type Known = HashMap<(Arc<ServiceName>, SocketAddr), Arc<LiveBackend>>;

impl Live {
    /// Puts a table in the place of this one. Also gives the backends that are gone.
    pub(crate) fn replaced_by(&self, table: Arc<Table>) -> (Self, Vec<Arc<LiveBackend>>) {
        let mut known: Known = HashMap::new();
        for service in &self.services {
            let backends = service.backends.iter();
            known.extend(backends.map(|b| ((service.name.clone(), b.address), b.clone())));
        }
        let mut kept: Known = HashMap::new();
        let services = table.services().iter().map(|service| {
            let backend = |address| {
                let key = (service.name.clone(), address);
                let make = || {
                    known
                        .remove(&key)
                        .unwrap_or_else(|| Arc::new(LiveBackend::new(address, self.moved.clone())))
                };
                kept.entry(key.clone()).or_insert_with(make).clone()
            };
            LiveService {
                name: service.name.clone(),
                shares: Shares::new(service.backends.iter().map(|backend| backend.weight)),
                backends: service
                    .backends
                    .iter()
                    .map(|backend| backend.address)
                    .map(backend)
                    .collect(),
            }
        });
        let services = services.collect();
        (Self { table, services, moved: self.moved.clone() }, known.into_values().collect())
    }

    pub(crate) fn service(&self, index: ServiceIndex) -> &LiveService {
        &self.services[index]
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.moved.notify_waiters();
    }
}

impl LiveService {
    /// Chooses a backend that was not tried for this request.
    pub(crate) fn choose(&self, chance: u64, tried: &[BackendId]) -> Option<&Arc<LiveBackend>> {
        let standing = |index: usize| {
            let backend = &self.backends[index];
            let load = backend.in_flight.load(Relaxed);
            if tried.contains(&backend.id) {
                Standing::Tried
            } else if backend.is_resting() {
                Standing::Resting(load)
            } else {
                Standing::Open(load)
            }
        };
        self.shares.choose(chance, standing).map(|index| &self.backends[index])
    }
}

impl LiveBackend {
    fn new(address: SocketAddr, moved: Arc<Notify>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: NEXT.fetch_add(1, Relaxed),
            address,
            in_flight: AtomicUsize::new(0),
            is_retired: AtomicBool::new(false),
            rests_until: Mutex::new(None),
            moved,
        }
    }

    /// Prefers others for a while.
    pub(crate) fn rest(&self, wait: Duration) {
        *self.lock_rest() = Instant::now().checked_add(wait);
    }

    fn is_resting(&self) -> bool {
        let mut until = self.lock_rest();
        if until.is_some_and(|until| until <= Instant::now()) {
            *until = None;
        }
        until.is_some()
    }

    fn lock_rest(&self) -> MutexGuard<'_, Option<Instant>> {
        self.rests_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that no table in use has it any more.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, SeqCst);
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.is_retired.load(SeqCst)
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(SeqCst)
    }
}

impl InFlight {
    pub(crate) fn new(backend: Arc<LiveBackend>) -> Self {
        backend.in_flight.fetch_add(1, Relaxed);
        Self(backend)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, SeqCst);
        if self.0.is_retired() {
            self.0.moved.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Backend;

    fn table(addresses: &[&str]) -> Arc<Table> {
        let backend = |text: &&str| Backend { address: text.parse().unwrap(), weight: 1 };
        let backends = addresses.iter().map(backend).collect();
        Arc::new(Table::new(vec![], [("a".parse().unwrap(), backends)].into()).unwrap())
    }

    #[test]
    fn a_backend_that_stays_is_the_same_and_one_that_goes_is_given_back() {
        let (first, gone) = Live::default().replaced_by(table(&["10.0.0.1:1", "10.0.0.2:1"]));
        assert!(gone.is_empty());
        let (second, gone) = first.replaced_by(table(&["10.0.0.2:1", "10.0.0.3:1"]));
        assert_eq!(gone.iter().map(|b| b.address.to_string()).collect::<Vec<_>>(), ["10.0.0.1:1"]);
        assert!(Arc::ptr_eq(&first.services[0].backends[1], &second.services[0].backends[0]));
    }

    #[test]
    fn a_tried_backend_is_not_chosen_again() {
        let (live, _) = Live::default().replaced_by(table(&["10.0.0.1:1", "10.0.0.2:1"]));
        let service = live.service(0);
        let first = service.choose(7, &[]).unwrap().id;
        let second = service.choose(7, &[first]).unwrap().id;
        assert_ne!(first, second);
        assert!(service.choose(7, &[first, second]).is_none());
    }
}
