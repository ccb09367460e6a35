//! One stage of a key at a time: who comes second waits and then finds the first one's result.

use fairway_model::Digest;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OwnedMutexGuard;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// Locks by key. Those that nobody holds are forgotten.
#[derive(Default)]
pub(crate) struct Flights(Mutex<HashMap<Digest, Lock>>);

impl Flights {
    /// Waits until nobody else holds the key.
    pub(crate) async fn enter(&self, key: Digest) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(locks.entry(key).or_default())
        };
        lock.lock_owned().await
    }
}
