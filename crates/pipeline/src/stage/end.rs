//! How running a stage can end, seen from inside.

use crate::{Cause, RecordError, Remedy, SeamError, StageResult, seams::with_causes};
use fairway_blobs::{BlobError, TreeError};
use fairway_engine::EngineError;
use fairway_secrets::SecretError;
use std::io;

/// How running a stage ended.
pub(crate) enum StageEnd {
    /// It has a result, which is recorded.
    Finished(Box<StageResult>),
    /// What watched one of its containers was killed.
    Lost,
}

/// What keeps a stage from passing.
pub(crate) enum Stopped {
    /// It failed.
    Failed(Cause),
    /// The run was cancelled.
    Cancelled,
    /// What watched one of its containers was killed.
    Lost,
    /// The ledger refused, which ends the run.
    Record(RecordError),
}

impl From<Cause> for Stopped {
    fn from(cause: Cause) -> Self {
        Self::Failed(cause)
    }
}

impl From<RecordError> for Stopped {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl From<SeamError> for Stopped {
    fn from(error: SeamError) -> Self {
        match error.remedy {
            Remedy::Again => Self::Lost,
            Remedy::None => Self::Failed(Cause::Image { message: with_causes(&error) }),
        }
    }
}

impl From<EngineError> for Stopped {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Lost(_) => Self::Lost,
            error => Self::Failed(Cause::Engine { message: with_causes(&error) }),
        }
    }
}

impl From<TreeError> for Stopped {
    fn from(error: TreeError) -> Self {
        Self::Failed(Cause::Engine { message: with_causes(&error) })
    }
}

impl From<BlobError> for Stopped {
    fn from(error: BlobError) -> Self {
        Self::Failed(Cause::Engine { message: with_causes(&error) })
    }
}

impl From<SecretError> for Stopped {
    fn from(error: SecretError) -> Self {
        Self::Failed(Cause::Engine { message: with_causes(&error) })
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Failed(Cause::Engine { message: format!("could not write the log: {error}") })
    }
}
