//! Reading: what is asked of a read model, and what is answered.

use fairway_ledger::Position;
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// Most rows of one answer, whatever is asked for.
pub const ROWS_MAX: usize = 10_000;
/// An answer ends with the row that goes over this many bytes of text.
pub(crate) const BYTES_MAX: usize = 16 << 20;
/// The longest time that one query may take.
pub const QUERY_TIME_MAX: Duration = Duration::from_secs(10);

/// Which state a reader wants. Waiting is to choose consistency, reading now availability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// What is there.
    Now,
    /// What is true for this position or a later one, waited for so long.
    AtLeast(Position, Duration),
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// A query of the declaration.
    Named(String),
    /// SQL that reads, of somebody who may read all.
    Sql(String),
}

/// Values for the parameters of a query.
pub type Parameters = BTreeMap<String, Value>;

/// Rows, and what they are true for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The version of the declaration.
    pub version: u32,
    /// Up to where events are in the rows.
    pub position: Position,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
    /// Whether there were more rows than [`ROWS_MAX`].
    pub is_cut: bool,
}

/// The names of the columns of an answer. Its values are found by them, so that no two are the same.
pub(crate) fn columns(
    names: impl IntoIterator<Item = impl Into<String>>,
) -> Result<Vec<String>, String> {
    let mut columns: Vec<String> = Vec::new();
    for name in names {
        let name = name.into();
        if columns.contains(&name) {
            return Err(format!("two columns are named `{name}`; give one another name with `AS`"));
        }
        columns.push(name);
    }
    Ok(columns)
}

/// What a target answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) position: Position,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
    pub(crate) is_cut: bool,
}
