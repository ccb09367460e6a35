//! Answers that stay the same throughout one run.

use std::{collections::HashMap, hash::Hash, sync::Arc};
use tokio::sync::{Mutex, OnceCell};

/// Asks for each key once, however many stages want it at the same time. Errors are not kept.
pub(crate) struct Memo<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Memo<K, V> {
    /// The answer for a key; `ask` is awaited if nobody did before.
    pub(crate) async fn get<E>(
        &self,
        key: &K,
        ask: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let cell = Arc::clone(self.0.lock().await.entry(key.clone()).or_default());
        cell.get_or_try_init(|| ask).await.cloned()
    }
}
