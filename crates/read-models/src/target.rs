//! What keeps a read model: a file, a database, somebody over HTTP, or Rust code.

use crate::intake::Full;
use async_trait::async_trait;
use fairway_ledger::{Event, Position};
use std::{collections::BTreeSet, error::Error, sync::Arc, time::Duration};

/// How often an event is tried again by itself before a person has to ask for it.
pub const TRIES_MAX: u32 = 3;
/// Most events that wait in a build, failed ones and those behind them; more stop it.
pub const PARKED_MAX: u64 = 100_000;

/// Events in order.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Those that pass the filter of the declaration.
    pub(crate) events: Vec<Event>,
    /// Up to where nothing was left out.
    pub(crate) to: Position,
}

/// How far a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Up to where events are taken in or parked.
    pub position: Position,
    /// Up to which version of the stream of facts asks were done.
    pub(crate) asks: u64,
    /// How many events wait, failed ones and those behind them.
    pub parked: u64,
    /// When the next one is tried again by itself.
    pub(crate) due: Option<Duration>,
}

/// An event that waits.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Parked {
    /// Its position.
    pub position: u64,
    /// Its id.
    pub event_id: String,
    /// Its stream.
    pub stream: String,
    /// Its kind.
    pub kind: String,
    /// What it has in common with those that wait for it.
    pub key: String,
    /// How often it was tried.
    pub tries: u32,
    /// Why it failed; none if it waits behind one that did.
    pub error: Option<String>,
}

/// Which parked events are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParkedOf {
    /// All.
    All,
    /// Those with a key.
    Key(String),
    /// The one at a position.
    At(u64),
    /// Those that are to be tried again by themselves.
    Due,
}

/// Parked events that are tried again.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    /// The events, in order.
    pub(crate) events: Vec<Event>,
    /// Positions of those that are left out, because it was asked or because they are gone.
    pub(crate) left: BTreeSet<u64>,
    /// The ask that this does, if one does it.
    pub(crate) ask: Option<u64>,
    /// Whether all that waits is to be tried, also what is too much for one time.
    pub(crate) is_of_all: bool,
}

/// Why a target could not be used. What was asked of it was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TargetError {
    /// It does not work now; it is tried again.
    #[error("{what}")]
    Unusable {
        /// What could not be done.
        what: String,
        /// Why.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// It belongs to another ledger, or to a past of this one that was restored away.
    #[error("{0}")]
    Foreign(String),
    /// Too much is parked.
    #[error("{PARKED_MAX} events are parked, which is the most; mend, skip or rebuild")]
    Full,
}

impl From<Full> for TargetError {
    fn from(Full: Full) -> Self {
        Self::Full
    }
}

impl TargetError {
    pub(crate) fn unusable(
        what: impl Into<String>,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self::Unusable { what: what.into(), source: Arc::new(source) }
    }
}

/// Keeps one build. Changes and how far they go are stored together.
#[async_trait]
pub(crate) trait Target: Send {
    /// Makes what is not there, and says how far it is. Called again after a failure.
    async fn open(&mut self) -> Result<Standing, TargetError>;

    /// Takes in events.
    async fn apply(&mut self, batch: Batch) -> Result<Standing, TargetError>;

    /// Parked events in order of their positions.
    async fn parked(&mut self, of: ParkedOf, limit: usize) -> Result<Vec<Parked>, TargetError>;

    /// Tries parked events again.
    async fn replay(&mut self, replay: Replay) -> Result<Standing, TargetError>;

    /// Removes all that there is of the build.
    async fn remove(&mut self) -> Result<(), TargetError>;

    /// Whether what it does can be left in the middle: nobody reads what comes of it here, and it is
    /// done again.
    fn can_be_left(&self) -> bool {
        false
    }
}
