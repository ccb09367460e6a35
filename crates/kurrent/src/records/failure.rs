//! What goes wrong, with the details that clients of the second protocol read.

use crate::{
    expected::Revision,
    status,
    wire::{
        records::{
            OfStream, RecordSizeExceeded, RichStatus, SizeExceeded, StreamConflict, Violation,
            Violations,
        },
        shared::AnyMessage,
    },
};
use fairway_ledger::{
    Append, AppendError, BATCH_BYTES_MAX, EVENT_BYTES_MAX, Expected, NewEvent, StreamName, Version,
};
use prost::Message;
use tonic::{Code, Status};

/// What is asked of which streams: those of checks, in their order, are violated by a conflict.
pub(super) struct Asked {
    /// The streams, what is expected of each, and the largest event for it.
    pub(super) streams: Vec<(StreamName, Expected, Option<Largest>)>,
    pub(super) checks: Vec<StreamName>,
}

/// The largest event for a stream.
pub(super) struct Largest {
    id: String,
    bytes: usize,
}

impl Asked {
    pub(super) fn of(appends: &[Append], checks: Vec<StreamName>) -> Self {
        let about = |append: &Append| {
            let largest = append.events.iter().max_by_key(|event| event.bytes());
            (append.stream.clone(), append.expected, largest.map(Largest::of))
        };
        Self { streams: appends.iter().map(about).collect(), checks }
    }

    /// A failure as a status with details.
    pub(super) fn failed(&self, error: AppendError) -> Status {
        let message = error.to_string();
        match error {
            AppendError::Conflict { stream, actual } => self.conflict(&stream, actual, message),
            AppendError::Tombstoned(stream) => {
                let detail = OfStream { stream: stream.to_string() };
                rich(Code::FailedPrecondition, message, ("StreamTombstoned", &detail))
            }
            AppendError::SameStream(stream) => {
                let detail = OfStream { stream: stream.to_string() };
                rich(Code::Aborted, message, ("StreamAlreadyInAppendSession", &detail))
            }
            AppendError::EventTooLarge { .. } => self.event_too_large(message),
            AppendError::BatchTooLarge => too_large(),
            other => status::append("AppendSession", other, Expected::Any),
        }
    }

    fn conflict(&self, stream: &StreamName, actual: Version, message: String) -> Status {
        let asked = self.streams.iter().find(|(name, ..)| name == stream);
        let expected = asked.map_or(Expected::Any, |(_, expected, _)| *expected);
        let conflict = StreamConflict {
            stream: stream.to_string(),
            expected: Revision::signed(expected),
            actual: Revision::last_of(actual).to_signed(),
        };
        match self.checks.iter().position(|name| name == stream) {
            Some(index) => {
                let check_index = i32::try_from(index).unwrap_or(i32::MAX);
                let violation = Violation { check_index, stream_state: Some(conflict) };
                let detail = Violations { violations: vec![violation] };
                rich(Code::FailedPrecondition, message, ("AppendConsistencyViolation", &detail))
            }
            None => rich(Code::FailedPrecondition, message, ("StreamRevisionConflict", &conflict)),
        }
    }

    fn event_too_large(&self, message: String) -> Status {
        let bytes = |largest: &Option<Largest>| largest.as_ref().map_or(0, |event| event.bytes);
        let largest = self.streams.iter().max_by_key(|(_, _, largest)| bytes(largest));
        let Some((stream, _, Some(event))) = largest else { return too_large() };
        let detail = RecordSizeExceeded {
            stream: stream.to_string(),
            record_id: event.id.clone(),
            size: i32::try_from(event.bytes).unwrap_or(i32::MAX),
            max_size: i32::try_from(EVENT_BYTES_MAX).unwrap_or(i32::MAX),
        };
        rich(Code::InvalidArgument, message, ("AppendRecordSizeExceeded", &detail))
    }
}

impl Largest {
    fn of(event: &NewEvent) -> Self {
        Self { id: event.id.map_or_else(String::new, |id| id.to_string()), bytes: event.bytes() }
    }
}

/// All events together are too large.
pub(super) fn too_large() -> Status {
    let max_size = i32::try_from(BATCH_BYTES_MAX).unwrap_or(i32::MAX);
    let detail = SizeExceeded { size: max_size.saturating_add(1), max_size };
    let message = AppendError::BatchTooLarge.to_string();
    rich(Code::Aborted, message, ("AppendTransactionSizeExceeded", &detail))
}

fn rich(code: Code, message: String, (name, detail): (&str, &impl Message)) -> Status {
    let detail = AnyMessage {
        type_url: format!(
            "type.googleapis.com/kurrentdb.protocol.v2.streams.errors.{name}ErrorDetails"
        ),
        value: detail.encode_to_vec(),
    };
    let rich = RichStatus { code: code.into(), message: message.clone(), details: vec![detail] };
    Status::with_details(code, message, rich.encode_to_vec().into())
}
