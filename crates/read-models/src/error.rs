//! What can go wrong with read models.

use crate::target::TargetError;
use fairway_ledger::{AppendError, LedgerError, Position};
use fairway_model::{Diagnostic, ReadModelName};
use std::{io, sync::Arc};

/// Why something about a read model was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadModelError {
    /// The ledger could not be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A fact could not be appended.
    #[error("could not write down what was asked of read model `{name}`")]
    Append {
        /// The read model.
        name: ReadModelName,
        /// Why.
        source: Arc<AppendError>,
    },
    /// The declaration is wrong.
    #[error("the declaration of read model `{}` is wrong", .0.first().map_or("", |one| &one.path))]
    Declaration(Vec<Diagnostic>),
    /// The declaration changed, and its version did not.
    #[error("read model `{name}` has version {version} with another declaration")]
    SameVersion {
        /// The read model.
        name: ReadModelName,
        /// The version.
        version: u32,
    },
    /// The version went back.
    #[error("read model `{name}` has version {found} already, which is later than {given}")]
    LowerVersion {
        /// The read model.
        name: ReadModelName,
        /// Its version.
        found: u32,
        /// What was given.
        given: u32,
    },
    /// There is no such read model.
    #[error("there is no read model `{0}`")]
    Missing(ReadModelName),
    /// There is no such query.
    #[error("read model `{name}` has no query `{query}`; {}", known(.queries))]
    MissingQuery {
        /// The read model.
        name: ReadModelName,
        /// The name that was asked for.
        query: String,
        /// The names of those that there are.
        queries: Vec<String>,
    },
    /// The first build is not done.
    #[error("read model `{name}` is being built: it is at {position} of {head}")]
    Building {
        /// The read model.
        name: ReadModelName,
        /// How far the build is.
        position: Position,
        /// How far the ledger is.
        head: Position,
    },
    /// The read model did not get as far in time.
    #[error("read model `{name}` is at {position}, not yet at {wanted}")]
    Behind {
        /// The read model.
        name: ReadModelName,
        /// How far it is.
        position: Position,
        /// How far it should be.
        wanted: Position,
    },
    /// It is not read by queries.
    #[error("read model `{0}` is a callback, which is not asked here")]
    NoQueries(ReadModelName),
    /// A parameter has no value.
    #[error("query `{query}` needs a value for `{parameter}`")]
    MissingParameter {
        /// The query.
        query: String,
        /// The parameter.
        parameter: String,
    },
    /// The query failed; what the database says.
    #[error("the query failed: {0}")]
    Query(String),
    /// The query took too long.
    #[error("the query took longer than {0:?}")]
    TooSlow(std::time::Duration),
    /// No parked event has the position.
    #[error("read model `{name}` has no parked event at {position}")]
    NotParked {
        /// The read model.
        name: ReadModelName,
        /// The position.
        position: u64,
    },
    /// The secret that an address refers to has no value.
    #[error("secret `{0}` has no value")]
    Secret(fairway_model::SecretName),
    /// Another process drives the read models of the ledger.
    #[error("another process drives the read models of ledger `{0}`")]
    DrivenElsewhere(String),
    /// The directory could not be used.
    #[error("could not use `{path}`")]
    Directory {
        /// The directory or file.
        path: String,
        /// Why.
        source: Arc<io::Error>,
    },
    /// The target could not be used.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The driver has ended.
    #[error("the read models are not followed any more")]
    Closed,
}

impl ReadModelError {
    /// Whether it may be otherwise in a moment.
    pub(crate) fn is_of_time(&self) -> bool {
        matches!(self, Self::Building { .. } | Self::Behind { .. })
    }

    pub(crate) fn append(name: &ReadModelName, error: AppendError) -> Self {
        Self::Append { name: name.clone(), source: Arc::new(error) }
    }
}

/// The queries that there are, in words.
fn known(queries: &[String]) -> String {
    if queries.is_empty() {
        return "it has none".to_owned();
    }
    let names: Vec<String> = queries.iter().map(|query| format!("`{query}`")).collect();
    format!("it has {}", names.join(", "))
}

/// An error with its causes.
pub(crate) fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
