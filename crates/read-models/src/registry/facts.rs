//! Facts about a read model, as events of its stream.

use fairway_ledger::{DecodeError, Event, EventError, NewEvent};
use serde::{Deserialize, Serialize};

/// Something that was decided or asked about a read model. The version of its event in the stream is
/// the id of the build that it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A declaration is to be built and to take the place of what is there.
    Declared {
        /// The path of the file.
        path: String,
        /// Its text.
        text: String,
    },
    /// The declaration is to be built once more.
    RebuildAsked,
    /// A build is what is read from now on.
    Live {
        /// The build.
        build: u64,
    },
    /// A build is not read by itself, as it parked more than the one that is read.
    Withheld {
        /// The build.
        build: u64,
    },
    /// A build is to be read whatever it parked.
    Accepted {
        /// The build.
        build: u64,
    },
    /// A build that is read no more was removed.
    BuildRemoved {
        /// The build.
        build: u64,
    },
    /// Parked events are to be tried again: those with a key, or all.
    RetryAsked {
        /// The key.
        key: Option<String>,
    },
    /// A parked event is not to be taken in.
    SkipAsked {
        /// Its position.
        position: u64,
    },
    /// The read model is to be no more.
    Removed,
}

/// Why an event is no fact about a read model.
#[derive(Debug, thiserror::Error)]
pub enum FactError {
    /// Its kind is not known, so a newer Fairway wrote it.
    #[error("event {0} says something of a read model that this Fairway does not know")]
    Unknown(fairway_ledger::Position),
    /// Its data are not what they should be.
    #[error(transparent)]
    Data(#[from] DecodeError),
}

const DECLARED: &str = "read-model-declared";
const REBUILD_ASKED: &str = "read-model-rebuild-asked";
const LIVE: &str = "read-model-live";
const WITHHELD: &str = "read-model-withheld";
const ACCEPTED: &str = "read-model-accepted";
const BUILD_REMOVED: &str = "read-model-build-removed";
const RETRY_ASKED: &str = "read-model-retry-asked";
const SKIP_ASKED: &str = "read-model-skip-asked";
const REMOVED: &str = "read-model-removed";

#[derive(Serialize, Deserialize)]
struct Text {
    path: String,
    text: String,
}

#[derive(Serialize, Deserialize)]
struct Build {
    build: u64,
}

#[derive(Serialize, Deserialize)]
struct Key {
    key: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Place {
    position: u64,
}

#[derive(Serialize)]
struct Nothing {}

impl Fact {
    /// The fact as an event.
    pub fn event(&self) -> Result<NewEvent, EventError> {
        match self {
            Self::Declared { path, text } => {
                NewEvent::new(DECLARED, &Text { path: path.clone(), text: text.clone() })
            }
            Self::RebuildAsked => NewEvent::new(REBUILD_ASKED, &Nothing {}),
            Self::Live { build } => NewEvent::new(LIVE, &Build { build: *build }),
            Self::Withheld { build } => NewEvent::new(WITHHELD, &Build { build: *build }),
            Self::Accepted { build } => NewEvent::new(ACCEPTED, &Build { build: *build }),
            Self::BuildRemoved { build } => NewEvent::new(BUILD_REMOVED, &Build { build: *build }),
            Self::RetryAsked { key } => NewEvent::new(RETRY_ASKED, &Key { key: key.clone() }),
            Self::SkipAsked { position } => {
                NewEvent::new(SKIP_ASKED, &Place { position: *position })
            }
            Self::Removed => NewEvent::new(REMOVED, &Nothing {}),
        }
    }

    /// What an event says.
    pub fn of(event: &Event) -> Result<Self, FactError> {
        Ok(match event.kind.as_str() {
            DECLARED => {
                let Text { path, text } = event.decode()?;
                Self::Declared { path, text }
            }
            REBUILD_ASKED => Self::RebuildAsked,
            LIVE => Self::Live { build: event.decode::<Build>()?.build },
            WITHHELD => Self::Withheld { build: event.decode::<Build>()?.build },
            ACCEPTED => Self::Accepted { build: event.decode::<Build>()?.build },
            BUILD_REMOVED => Self::BuildRemoved { build: event.decode::<Build>()?.build },
            RETRY_ASKED => Self::RetryAsked { key: event.decode::<Key>()?.key },
            SKIP_ASKED => Self::SkipAsked { position: event.decode::<Place>()?.position },
            REMOVED => Self::Removed,
            _ => return Err(FactError::Unknown(event.position)),
        })
    }
}
