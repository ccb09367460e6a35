//! What came of a batch, as its answer says: failures have details that name them.

use crate::{
    append,
    expected::{self, Revision},
    status,
    wire::{
        shared::{
            AnyMessage, BadRequest, MaximumAppendSizeExceeded, StreamDeleted, WrongExpectedVersion,
        },
        streams::{BatchError, batch_append_resp},
    },
};
use fairway_ledger::{AppendError, Appended, BATCH_BYTES_MAX, Expected, StreamName};
use prost::Message;
use tonic::{Code, Status};

/// What came of an append.
pub(crate) enum Outcome {
    Done(Appended),
    Failed(AppendError),
    Refused(Status),
    Late,
}

impl Outcome {
    /// The answer to a batch.
    pub(crate) fn answer(
        self,
        stream: &StreamName,
        expected: Expected,
    ) -> batch_append_resp::Result {
        let error = match self {
            Self::Done(appended) => {
                return batch_append_resp::Result::Success(append::success(appended));
            }
            Self::Failed(error) => failed(&error, stream, expected)
                .unwrap_or_else(|| refused(&status::append("Append", error, expected))),
            Self::Refused(wrong) => refused(&wrong),
            Self::Late => {
                error(Code::DeadlineExceeded, "the deadline has passed", detail("Timeout", &()))
            }
        };
        batch_append_resp::Result::Error(error)
    }
}

/// The errors that have details of their own.
fn failed(failed: &AppendError, stream: &StreamName, expected: Expected) -> Option<BatchError> {
    if let Some(most) = status::most_bytes(failed) {
        let most = MaximumAppendSizeExceeded { max_append_size: u32::try_from(most).ok()? };
        let detail = detail("MaximumAppendSizeExceeded", &most);
        return Some(error(Code::InvalidArgument, "the append is too large", detail));
    }
    match failed {
        AppendError::Conflict { actual, .. } => {
            let wrong = WrongExpectedVersion {
                current: Some(Revision::last_of(*actual).into()),
                expected: Some(expected.into()),
            };
            let detail = detail("WrongExpectedVersion", &wrong);
            Some(error(Code::FailedPrecondition, "WrongExpectedVersion", detail))
        }
        AppendError::Tombstoned(_) => {
            let deleted = StreamDeleted { stream_identifier: Some(expected::identifier(stream)) };
            let detail = detail("StreamDeleted", &deleted);
            Some(error(Code::FailedPrecondition, "the stream is deleted", detail))
        }
        _ => None,
    }
}

/// An error that a call on its own would end with.
fn refused(status: &Status) -> BatchError {
    let message = status.message();
    let exception = status.metadata().get("exception").and_then(|value| value.to_str().ok());
    let detail = match (status.code(), exception) {
        (Code::PermissionDenied | Code::Unauthenticated, _) => detail("AccessDenied", &()),
        (_, Some("maximum-append-size-exceeded")) => {
            let most = u32::try_from(BATCH_BYTES_MAX).unwrap_or(u32::MAX);
            detail(
                "MaximumAppendSizeExceeded",
                &MaximumAppendSizeExceeded { max_append_size: most },
            )
        }
        (Code::InvalidArgument, _) => {
            detail("BadRequest", &BadRequest { message: message.to_owned() })
        }
        _ => detail("Unknown", &()),
    };
    error(status.code(), message, detail)
}

fn error(code: Code, message: &str, details: AnyMessage) -> BatchError {
    BatchError { code: code.into(), message: message.to_owned(), details: Some(details) }
}

fn detail(name: &str, message: &impl Message) -> AnyMessage {
    AnyMessage {
        type_url: format!("type.googleapis.com/event_store.client.{name}"),
        value: message.encode_to_vec(),
    }
}
