//! Revisions and expectations, from 0 in the protocol and from 1 in the ledger.

use crate::{
    status,
    wire::{
        shared::{ExpectedRevision, StreamIdentifier},
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

    pub(crate) fn succeeded(self) -> append_success::CurrentRevision {
        use append_success::CurrentRevision::{NoStream, Revision};
        self.0.map_or(NoStream(()), Revision)
    }

    pub(crate) fn conflicting(self) -> wrong_version::Current {
        use wrong_version::Current::{NoStream, Revision};
        self.0.map_or(NoStream(()), Revision)
    }

    pub(crate) fn detailed(self) -> crate::wire::shared::wrong_expected_version::Current {
        use crate::wire::shared::wrong_expected_version::Current::{NoStream, Revision};
        self.0.map_or(NoStream(()), Revision)
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

/// What was expected, for the answer to an append.
pub(crate) fn unmet(expected: Expected) -> wrong_version::Expected {
    use wrong_version::Expected::{Any, NoStream, Revision, StreamExists};
    match expected {
        Expected::Any => Any(()),
        Expected::NoStream => NoStream(()),
        Expected::Exists => StreamExists(()),
        Expected::Exact(version) => Revision(version.0 - 1),
    }
}

/// What was expected, for the answer to a batch.
pub(crate) fn echoed(expected: Expected) -> batch_append_resp::Expected {
    use batch_append_resp::Expected::{Any, NoStream, Revision, StreamExists};
    match expected {
        Expected::Any => Any(()),
        Expected::NoStream => NoStream(()),
        Expected::Exists => StreamExists(()),
        Expected::Exact(version) => Revision(version.0 - 1),
    }
}

/// What was expected, for the details of a batch that failed.
pub(crate) fn detailed(
    expected: Expected,
) -> crate::wire::shared::wrong_expected_version::Expected {
    use crate::wire::shared::wrong_expected_version::Expected::{
        Any, NoStream, Revision, StreamExists,
    };
    match expected {
        Expected::Any => Any(()),
        Expected::NoStream => NoStream(()),
        Expected::Exists => StreamExists(()),
        Expected::Exact(version) => Revision(version.0 - 1),
    }
}
