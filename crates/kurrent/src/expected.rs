//! Revisions and expectations, from 0 in the protocol and from 1 in the ledger.

use crate::{
    status,
    wire::{
        shared::{ExpectedRevision, StreamIdentifier, wrong_expected_version},
        streams::{ChangeOptions, append_success, batch_append_resp, wrong_version},
    },
};
use fairway_ledger::{Expected, StreamName, Version};
use tonic::Status;

/// The revision of a stream's last event, if it ever had one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Revision(Option<u64>);

impl Revision {
    pub(crate) fn last_of(version: Version) -> Self {
        Self(version.0.checked_sub(1))
    }

    /// As a number; -1 if there is none.
    pub(crate) fn to_signed(self) -> i64 {
        self.0.map_or(-1, |revision| i64::try_from(revision).unwrap_or(i64::MAX))
    }

    /// What is expected, as a number.
    pub(crate) fn signed(expected: Expected) -> i64 {
        match expected {
            Expected::NoStream => -1,
            Expected::Any => -2,
            Expected::Exists => -4,
            Expected::Exact(version) => Self::last_of(version).to_signed(),
        }
    }
}

/// Reads what is expected; without a word about it, anything is.
pub(crate) fn expected(wire: Option<ExpectedRevision>) -> Expected {
    match wire {
        None | Some(ExpectedRevision::Any(())) => Expected::Any,
        Some(ExpectedRevision::NoStream(())) => Expected::NoStream,
        Some(ExpectedRevision::StreamExists(())) => Expected::Exists,
        Some(ExpectedRevision::Revision(revision)) => Expected::Exact(version(revision)),
    }
}

/// The version of the event with a revision.
pub(crate) fn version(revision: u64) -> Version {
    Version(revision.saturating_add(1).min(Version::END.0))
}

/// The name of a stream.
pub(crate) fn stream_name(wire: Option<StreamIdentifier>) -> Result<StreamName, Status> {
    let bytes = wire.unwrap_or_default().stream_name;
    let name = String::from_utf8(bytes)
        .map_err(|_| status::invalid("the name of a stream is not UTF-8"))?;
    name.parse().map_err(status::invalid)
}

/// Which stream is to be changed, and what is expected of it.
pub(crate) fn change(wire: Option<ChangeOptions>) -> Result<(StreamName, Expected), Status> {
    let options = wire.ok_or_else(|| status::invalid("the options are missing"))?;
    Ok((stream_name(options.stream_identifier)?, expected(options.expected)))
}

pub(crate) fn identifier(name: &StreamName) -> StreamIdentifier {
    StreamIdentifier { stream_name: name.as_str().as_bytes().to_vec() }
}

/// Makes the forms in which different answers say what was expected: alike, but for their numbers.
macro_rules! expectations {
    ($($of:ident),*) => {
        $(impl From<Expected> for $of::Expected {
            fn from(expected: Expected) -> Self {
                match expected {
                    Expected::Any => Self::Any(()),
                    Expected::NoStream => Self::NoStream(()),
                    Expected::Exists => Self::StreamExists(()),
                    Expected::Exact(version) => Self::Revision(version.0.saturating_sub(1)),
                }
            }
        })*
    };
}

expectations!(wrong_version, batch_append_resp, wrong_expected_version);

/// Makes the forms in which different answers say which revision there is.
macro_rules! revisions {
    ($($form:ty),*) => {
        $(impl From<Revision> for $form {
            fn from(Revision(revision): Revision) -> Self {
                revision.map_or(Self::NoStream(()), Self::Revision)
            }
        })*
    };
}

revisions!(
    append_success::CurrentRevision,
    wrong_version::Current,
    wrong_expected_version::Current
);
