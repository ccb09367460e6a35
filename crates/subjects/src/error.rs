//! What can go wrong with subjects and their keys.

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
    /// The machine gave no random bytes.
    #[error("the machine gives no random bytes")]
    Random,
    /// The keys in this process have ended.
    #[error("the keys of subjects are closed")]
    Closed,
}
