//! Names that were read before: of streams, by their number, and of kinds.

use crate::{connection::Link, error::Fault};
use fairway_ledger::{Kind, StreamName};
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio_postgres::Row;

/// Most names of streams that are remembered from page to page.
const NAMES_MAX: usize = 50_000;

/// Names of streams by their number, which never change.
#[derive(Debug, Default)]
pub(crate) struct Names(Mutex<HashMap<i64, StreamName>>);

impl Names {
    /// The names of the streams of some events, whose numbers are in column 1.
    pub(crate) async fn of(
        &self,
        link: &Link,
        events: &[Row],
    ) -> Result<HashMap<i64, StreamName>, Fault> {
        let ids: HashSet<i64> = events.iter().map(|row| row.get(1)).collect();
        let mut names = self.remembered(&ids);
        let unknown: Vec<i64> = ids.into_iter().filter(|id| !names.contains_key(id)).collect();
        if !unknown.is_empty() {
            let sql = "SELECT id, name FROM streams WHERE id = ANY($1)";
            let rows = link.query(sql, &[&unknown]).await?;
            let pair = |row: &Row| (row.get(0), StreamName::trusted(row.get(1)));
            let learned: Vec<_> = rows.iter().map(pair).collect();
            self.remember(&learned);
            names.extend(learned);
        }
        Ok(names)
    }

    fn remembered(&self, ids: &HashSet<i64>) -> HashMap<i64, StreamName> {
        let known = self.known();
        ids.iter().filter_map(|id| Some((*id, known.get(id)?.clone()))).collect()
    }

    fn remember(&self, names: &[(i64, StreamName)]) {
        let mut known = self.known();
        if known.len() + names.len() > NAMES_MAX {
            known.clear();
        }
        known.extend(names.iter().cloned());
    }

    fn known(&self) -> MutexGuard<'_, HashMap<i64, StreamName>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Kinds of one page: many events have the same.
#[derive(Debug, Default)]
pub(crate) struct Kinds<'a>(HashMap<&'a str, Kind>);

impl<'a> Kinds<'a> {
    pub(crate) fn get(&mut self, text: &'a str) -> Kind {
        self.0.entry(text).or_insert_with(|| Kind::trusted(text)).clone()
    }
}
