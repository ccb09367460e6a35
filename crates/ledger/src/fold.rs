//! Folds what came after the stored rows of a projection, in memory; and stores that now and then.

use crate::{
    error::LedgerError,
    event::{DecodeError, Position},
    projection::{Key, Projection},
    read::{From, PAGE_EVENTS_MAX, Read, Scope},
    store::{RowChange, RowSet, Rows, Store},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    marker::PhantomData,
    sync::Arc,
};

/// A reader folds up to this many events in memory; if there are more, they are stored first.
pub(crate) const FOLD_MAX: u64 = 500;
/// Most rows that one read returns, whatever it asks for.
pub const ROWS_MAX: usize = 10_000;

/// The rows of a projection: those that are stored, and over them those that later events touched.
pub(crate) struct Fold<'a, P: Projection> {
    store: &'a dyn Store,
    /// Up to where the stored rows were true at the start.
    stored: Position,
    position: Position,
    touched: BTreeMap<Key, Option<P::Row>>,
    projection: PhantomData<P>,
}

/// Names the stored rows of a projection.
fn set<P: Projection>() -> RowSet {
    RowSet { name: P::NAME.to_owned(), version: P::VERSION }
}

/// Rows of a projection as it is now, from the highest down.
pub(crate) async fn read<P: Projection>(
    store: &dyn Store,
    rows: &Rows,
) -> Result<Vec<(Key, P::Row)>, LedgerError> {
    keep::<P>(store).await?;
    loop {
        let mut fold = Fold::<P>::start(store).await?;
        while fold.step().await? {}
        let found = fold.select(rows).await?;
        // If somebody stored later rows meanwhile, what was read is of two moments.
        if store.rows_position(set::<P>()).await? == fold.stored {
            return Ok(found);
        }
    }
}

/// Stores the rows of a projection if they are far behind. That a ledger cannot be written, or only
/// elsewhere, is no reason not to read it.
async fn keep<P: Projection>(store: &dyn Store) -> Result<(), LedgerError> {
    loop {
        let stored = store.rows_position(set::<P>()).await?;
        if store.head().await?.0.saturating_sub(stored.0) <= FOLD_MAX {
            return Ok(());
        }
        let mut fold = Fold::<P>::start(store).await?;
        fold.step().await?;
        match store.store_rows(fold.change()?).await {
            Err(
                LedgerError::DiskFull { .. }
                | LedgerError::NotWritable { .. }
                | LedgerError::Moved { .. },
            ) => return Ok(()),
            result => result?,
        };
    }
}

impl<'a, P: Projection> Fold<'a, P> {
    async fn start(store: &'a dyn Store) -> Result<Self, LedgerError> {
        let stored = store.rows_position(set::<P>()).await?;
        let touched = BTreeMap::new();
        Ok(Self { store, stored, position: stored, touched, projection: PhantomData })
    }

    /// Folds the next events; false if there are none.
    async fn step(&mut self) -> Result<bool, LedgerError> {
        let scope = Scope::All(From::After(self.position));
        let events = self.store.read(Read::new(scope, PAGE_EVENTS_MAX)).await?;
        let keys: Vec<Option<Key>> = events.iter().map(P::key).collect();
        self.fetch(keys.iter().flatten()).await?;
        for (event, key) in events.iter().zip(keys) {
            if let Some(key) = key {
                let row = self.touched.remove(&key).flatten();
                self.touched.insert(key, P::apply(row, event).map_err(undecodable::<P>)?);
            }
            self.position = event.position;
        }
        Ok(!events.is_empty())
    }

    /// Takes in the stored rows with keys that no event touched yet.
    async fn fetch(&mut self, keys: impl Iterator<Item = &Key>) -> Result<(), LedgerError> {
        let missing: BTreeSet<Key> =
            keys.filter(|key| !self.touched.contains_key(key)).cloned().collect();
        let missing: Vec<Key> = missing.into_iter().collect();
        for keys in missing.chunks(ROWS_MAX) {
            for (key, row) in self.store.rows(set::<P>(), Rows::Keys(keys.to_vec())).await? {
                self.touched.insert(key, Some(decode::<P>(&row)?));
            }
        }
        Ok(())
    }

    /// What is to be stored after some steps.
    fn change(self) -> Result<RowChange, LedgerError> {
        let encode = |(key, row): (Key, Option<P::Row>)| {
            let row = row.map(|row| serde_json::to_string(&row)).transpose();
            Ok((key, row.map_err(unreadable::<P>)?))
        };
        let rows = self.touched.into_iter().map(encode).collect::<Result<_, LedgerError>>()?;
        Ok(RowChange { set: set::<P>(), from: self.stored, to: self.position, rows })
    }

    async fn select(&mut self, rows: &Rows) -> Result<Vec<(Key, P::Row)>, LedgerError> {
        match rows {
            Rows::Keys(keys) => {
                self.fetch(keys.iter()).await?;
                let row = |key: &Key| Some((key.clone(), self.touched.remove(key)??));
                Ok(keys.iter().filter_map(row).collect())
            }
            Rows::Last { limit } => self.last(*limit, "", |limit| Rows::Last { limit }).await,
            Rows::LastWithPrefix { prefix, limit } => {
                let wider = |limit| Rows::LastWithPrefix { prefix: prefix.clone(), limit };
                self.last(*limit, prefix, wider).await
            }
        }
    }

    /// The rows with the highest keys, from the highest down.
    async fn last(
        &mut self,
        limit: usize,
        prefix: &str,
        rows: impl FnOnce(usize) -> Rows,
    ) -> Result<Vec<(Key, P::Row)>, LedgerError> {
        let limit = limit.min(ROWS_MAX);
        // Touched rows may be removals, so that many more have to be read to be left with enough.
        let stored = self.store.rows(set::<P>(), rows(limit + self.touched.len())).await?;
        let mut found = BTreeMap::new();
        for (key, row) in stored {
            if !self.touched.contains_key(&key) {
                found.insert(key, decode::<P>(&row)?);
            }
        }
        let is_asked = |key: &Key| prefix.is_empty() || key.has_prefix(prefix);
        let touched = std::mem::take(&mut self.touched).into_iter();
        found.extend(touched.filter_map(|(key, row)| is_asked(&key).then_some((key, row?))));
        Ok(found.into_iter().rev().take(limit).collect())
    }
}

fn decode<P: Projection>(row: &str) -> Result<P::Row, LedgerError> {
    serde_json::from_str(row).map_err(unreadable::<P>)
}

fn unreadable<P: Projection>(error: serde_json::Error) -> LedgerError {
    LedgerError::Row { projection: P::NAME, source: Arc::new(error) }
}

fn undecodable<P: Projection>(error: DecodeError) -> LedgerError {
    LedgerError::Projection { projection: P::NAME, source: Arc::new(error) }
}
