//! Which events are read, as arguments say it.

use crate::{failure::Failure, ledgers, moment};
use fairway_ledger::{Filter, Ledger, Position, StreamName, System};
use std::str::FromStr;

/// Chooses events.
#[derive(clap::Args)]
pub struct ScopeArgs {
    /// The events of this stream
    #[arg(value_name = "STREAM")]
    pub stream: Option<StreamName>,
    /// The events of all streams of this category: of those named `CATEGORY-...` or `CATEGORY`
    #[arg(long, value_name = "CATEGORY", conflicts_with = "stream")]
    pub category: Option<String>,
    /// The events of all streams, those of the ledger itself as well
    #[arg(long, conflicts_with_all = ["stream", "category"])]
    pub all: bool,
    /// Only events whose kinds start so; may be repeated
    #[arg(long = "kind", value_name = "PREFIX")]
    pub kinds: Vec<String>,
}

/// A moment of a ledger.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    /// When this was the last position.
    Position(Position),
    /// A time.
    Time(fairway_model::Timestamp),
}

impl ScopeArgs {
    /// What passes, of what is read.
    pub fn filter(&self) -> Filter {
        let is_limited = !self.all && self.stream.is_none() && self.category.is_none();
        Filter {
            categories: self.category.clone().into_iter().collect(),
            streams: Vec::new(),
            kinds: self.kinds.clone(),
            system: if is_limited { System::Left } else { System::Included },
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(position) = text.parse() {
            return Ok(Self::Position(Position(position)));
        }
        let time = moment::parse(text).map(Self::Time);
        time.ok_or_else(|| {
            "use a position, or a time such as `2026-03-01T12:00:00Z` (RFC 3339)".to_owned()
        })
    }
}

impl Moment {
    /// The last position then.
    pub async fn position(self, ledger: &Ledger) -> Result<Position, Failure> {
        match self {
            Self::Position(position) => Ok(position.min(Position::END)),
            Self::Time(time) => {
                let position = ledger.position_at(time).await;
                position.map_err(|error| ledgers::failed("find the position of a time", error))
            }
        }
    }
}
