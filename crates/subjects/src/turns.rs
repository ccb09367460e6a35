//! Keeps the order of those who need different time for what they do first.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Gives turns in the order in which they are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<Open>>);

/// The turns that are not over, by number.
#[derive(Debug, Default)]
struct Open {
    last: u64,
    told: BTreeMap<u64, Arc<Notify>>,
}

/// A turn. It is over when this is dropped, whether it has come or not; those after it come when
/// all before them are over.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    number: u64,
    told: Arc<Notify>,
}

impl Turns {
    /// The turn after all that were taken.
    pub(crate) fn take(&self) -> Turn {
        let mut open = self.open();
        open.last += 1;
        let (number, told) = (open.last, Arc::new(Notify::new()));
        open.told.insert(number, told.clone());
        Turn { turns: self.clone(), number, told }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Whether all before it are over.
    pub(crate) fn is_first(&self) -> bool {
        self.turns.open().told.first_key_value().is_some_and(|(number, _)| *number == self.number)
    }

    /// Returns when all before it are over.
    pub(crate) async fn come(&self) {
        while !self.is_first() {
            self.told.notified().await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut open = self.turns.open();
        open.told.remove(&self.number);
        if let Some((_, first)) = open.told.first_key_value() {
            first.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn a_turn_comes_when_all_before_it_are_over() {
        let turns = Turns::default();
        let [first, second, third] = [(); 3].map(|()| turns.take());
        first.come().await;
        assert_eq!(third.come().now_or_never(), None);
        drop(second);
        assert_eq!(third.come().now_or_never(), None, "who gives up lets nobody pass");
        let coming = tokio::spawn(async move { third.come().await });
        drop(first);
        coming.await.unwrap();
        assert!(turns.take().is_first());
    }
}
