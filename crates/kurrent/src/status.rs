//! Failures as KurrentDB's clients know them: a gRPC status with trailers that name the exception.

use crate::expected::Revision;
use fairway_ledger::{
    AppendError, BATCH_BYTES_MAX, EVENT_BYTES_MAX, Expected, LedgerError, StreamName,
};
use std::{error::Error, sync::Arc};
use tonic::{
    Code, Status,
    metadata::{MetadataMap, MetadataValue},
};

/// A status with `exception` and other trailers. Texts that no trailer can hold are left out.
pub(crate) fn exception(
    code: Code,
    message: String,
    exception: &'static str,
    about: &[(&'static str, String)],
) -> Status {
    let mut trailers = MetadataMap::new();
    trailers.insert("exception", MetadataValue::from_static(exception));
    for (name, value) in about {
        if let Ok(value) = value.parse() {
            trailers.insert(*name, value);
        }
    }
    Status::with_metadata(code, message, trailers)
}

pub(crate) fn invalid(message: impl std::fmt::Display) -> Status {
    Status::invalid_argument(message.to_string())
}

pub(crate) fn access_denied() -> Status {
    let message = "Access Denied".to_owned();
    exception(Code::PermissionDenied, message, "access-denied", &[])
}

pub(crate) fn unauthenticated() -> Status {
    let message = "Authentication failed".to_owned();
    exception(Code::Unauthenticated, message, "access-denied", &[])
}

pub(crate) fn stream_deleted(name: &StreamName) -> Status {
    let message = format!("Event stream '{name}' is deleted.");
    let about = [("stream-name", name.to_string())];
    exception(Code::FailedPrecondition, message, "stream-deleted", &about)
}

pub(crate) fn wrong_version(
    operation: &str,
    name: &StreamName,
    (expected, actual): (Expected, Revision),
) -> Status {
    let (expected, actual) = (Revision::signed(expected), actual.to_signed());
    let message = format!(
        "{operation} failed due to WrongExpectedVersion. Stream: {name}, \
         Expected version: {expected}, Actual version: {actual}"
    );
    let about = [
        ("stream-name", name.to_string()),
        ("expected-version", expected.to_string()),
        ("actual-version", actual.to_string()),
    ];
    exception(Code::FailedPrecondition, message, "wrong-expected-version", &about)
}

/// More than `most` bytes at once.
pub(crate) fn too_large(most: usize) -> Status {
    let message = format!("Maximum Append Size of {most} Exceeded.");
    let about = [("maximum-append-size", most.to_string())];
    exception(Code::InvalidArgument, message, "maximum-append-size-exceeded", &about)
}

pub(crate) fn metadata_missing() -> Status {
    let message = "Required Metadata Property Missing: type, content-type".to_owned();
    let about = [("required-metadata-properties", "type,content-type".to_owned())];
    exception(Code::InvalidArgument, message, "missing-required-metadata-property", &about)
}

/// How many bytes are the most, if an append failed for its size.
pub(crate) fn most_bytes(error: &AppendError) -> Option<usize> {
    match error {
        AppendError::EventTooLarge { .. } => Some(EVENT_BYTES_MAX),
        AppendError::BatchTooLarge => Some(BATCH_BYTES_MAX),
        _ => None,
    }
}

pub(crate) fn append(operation: &str, error: AppendError, expected: Expected) -> Status {
    if let Some(most) = most_bytes(&error) {
        return too_large(most);
    }
    match error {
        AppendError::Conflict { stream, actual } => {
            wrong_version(operation, &stream, (expected, Revision::last_of(actual)))
        }
        AppendError::Tombstoned(stream) => stream_deleted(&stream),
        AppendError::Ledger(error) => ledger(&error),
        other => invalid(chain(&other)),
    }
}

/// Where the ledger is and what its backend said is the source: for who runs the server.
pub(crate) fn ledger(error: &LedgerError) -> Status {
    let mut status = match error {
        LedgerError::DiskFull { .. } => {
            Status::resource_exhausted("the disk is full, and nothing was stored")
        }
        LedgerError::Busy(_)
        | LedgerError::Unreachable { .. }
        | LedgerError::Fenced(_)
        | LedgerError::Moved { .. }
        | LedgerError::NotWritable { .. }
        | LedgerError::Closed => Status::unavailable("the ledger cannot be used now"),
        _ => Status::internal("the ledger has a fault"),
    };
    status.set_source(Arc::new(error.clone()));
    status
}

/// A fault, of which only who runs the server is told more.
pub(crate) fn fault(message: &str, error: &dyn Error) -> Status {
    let cause: Box<dyn Error + Send + Sync> = chain(error).into();
    let mut status = Status::internal(message);
    status.set_source(Arc::from(cause));
    status
}

/// An error with what led to it, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        source = cause.source();
    }
    message
}
