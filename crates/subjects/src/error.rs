//! What can go wrong with subjects and their keys.

use fairway_ledger::{Cause, LedgerError, Store};
use std::{path::PathBuf, sync::Arc};

/// Why personal data could not be sealed, opened or forgotten.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubjectError {
    /// The metadata name something that is no list of personal fields.
    #[error("`$personal` has to name a subject and its fields: {0}")]
    Malformed(String),
    /// The data are not JSON, so that nothing can be sealed in them.
    #[error("only an event whose data are JSON can have personal fields")]
    NotJson,
    /// The keys cannot be read or written.
    #[error("could not use the keys of subjects in `{}`", path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        source: Arc<rusqlite::Error>,
    },
    /// The server that has the keys refuses something.
    #[error("could not use the keys of subjects in `{place}`")]
    Server {
        /// The address, without secrets.
        place: String,
        /// What the server says.
        source: Arc<tokio_postgres::Error>,
    },
    /// The server that has the keys cannot be reached. What was asked may have been done or not.
    #[error("the keys of subjects in `{place}` cannot be reached")]
    Unreachable {
        /// The address, without secrets.
        place: String,
        /// Why.
        source: Cause,
    },
    /// A key that was removed is still in the log of the file, because another process reads that.
    #[error(
        "the key is removed, but `{}` is in use, and its log still has it; try again", path.display()
    )]
    InLog {
        /// The file.
        path: PathBuf,
    },
    /// The file of keys could not be made so that only its owner can read it.
    #[error("could not make `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// The ledger has keys, and these are others. Says nothing of where they are, because clients of
    /// a server are told.
    #[error("what is personal in this ledger is sealed with other keys than those that are here")]
    OtherKeys,
    /// The keys in a place are not those that were there before, or the ledger has other keys since
    /// a moment ago.
    #[error("the keys of subjects were replaced meanwhile; try again")]
    Replaced,
    /// The machine gave no random bytes.
    #[error("the machine gives no random bytes")]
    Random,
    /// The keys in this process have ended.
    #[error("the keys of subjects are closed")]
    Closed,
}

impl SubjectError {
    /// Why something could not be done with a ledger.
    pub(crate) fn of(self, store: &dyn Store) -> LedgerError {
        let (ledger, is_away) = (store.place(), matches!(self, Self::Unreachable { .. }));
        let source: Cause = Arc::new(self);
        if is_away {
            LedgerError::Unreachable { ledger, source }
        } else {
            LedgerError::Backend { ledger, source }
        }
    }
}
