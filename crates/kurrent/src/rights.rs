//! Who may do what: asked of those who know the callers.

use crate::status;
use fairway_ledger::{Event, StreamName};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use std::{fmt, sync::Arc};
use tonic::Status;

/// The metadata that name a connection.
const CONNECTION_NAME: &str = "connection-name";

/// What a caller wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Read or follow events, or consume them in a group.
    Read,
    /// Append events.
    Append,
    /// Write metadata, delete or close a stream; create, change, remove or look at groups.
    Manage,
}

/// To what a caller wants to do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On<'a> {
    /// One stream; of a stream of metadata, the stream that it is about.
    Stream(&'a StreamName),
    /// All streams but the ledger's own.
    All,
}

/// Why a caller may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is not known who calls.
    Unknown,
    /// The caller is known and has no right to it.
    Forbidden,
}

/// Knows callers by the `authorization` that they send and what they may do. Asked once per call and
/// stream; must not block.
pub trait Rights: fmt::Debug + Send + Sync {
    /// Decides. `authorization` is what the caller sent, such as `Bearer ...` or `Basic ...`.
    fn check(
        &self,
        authorization: Option<&HeaderValue>,
        act: Act,
        on: On<'_>,
    ) -> Result<(), Refused>;
}

/// Everybody may do everything: for a server that only trusted programs reach.
#[derive(Debug, Clone, Copy)]
pub struct Open;

impl Rights for Open {
    fn check(&self, _: Option<&HeaderValue>, _: Act, _: On<'_>) -> Result<(), Refused> {
        Ok(())
    }
}

/// One caller, who may do what rights say.
#[derive(Clone)]
pub(crate) struct Caller {
    rights: Arc<dyn Rights>,
    authorization: Option<HeaderValue>,
    connection_name: Option<HeaderValue>,
}

impl Caller {
    pub(crate) fn of(rights: Arc<dyn Rights>, headers: &HeaderMap) -> Self {
        let authorization = headers.get(AUTHORIZATION).cloned();
        Self { rights, authorization, connection_name: headers.get(CONNECTION_NAME).cloned() }
    }

    /// What the client calls its connection.
    pub(crate) fn connection_name(&self) -> Option<&str> {
        self.connection_name.as_ref()?.to_str().ok()
    }

    /// Refuses who is not known, whatever is asked.
    pub(crate) fn is_known(&self) -> Result<(), Status> {
        match self.rights.check(self.authorization.as_ref(), Act::Read, On::All) {
            Err(Refused::Unknown) => Err(status::unauthenticated()),
            Ok(()) | Err(Refused::Forbidden) => Ok(()),
        }
    }

    pub(crate) fn may(&self, act: Act, on: On<'_>) -> Result<(), Status> {
        let refused = |refused| match refused {
            Refused::Unknown => status::unauthenticated(),
            Refused::Forbidden => status::access_denied(),
        };
        self.rights.check(self.authorization.as_ref(), act, on).map_err(refused)
    }

    /// Whether the caller may read a stream, or the stream that it is about.
    pub(crate) fn may_read(&self, name: &StreamName) -> Result<(), Status> {
        let about = name.is_about();
        self.may(Act::Read, On::Stream(about.as_ref().unwrap_or(name)))
    }

    /// Whether the caller may see an event that comes with others: it is known that those of all
    /// streams may be seen, but for the ledger's own.
    pub(crate) fn may_see(&self, event: &Event) -> bool {
        !event.stream.is_own() || self.may_read(&event.stream).is_ok()
    }

    /// Whether the caller may append to a stream.
    pub(crate) fn may_append(&self, name: &StreamName) -> Result<(), Status> {
        let act = if name.is_about().is_some() { Act::Manage } else { Act::Append };
        self.may_change(act, name)
    }

    /// Whether the caller may change a stream, which is never one that the ledger itself writes.
    pub(crate) fn may_change(&self, act: Act, name: &StreamName) -> Result<(), Status> {
        if name.is_own() {
            return Err(status::access_denied());
        }
        let about = name.is_about();
        self.may(act, On::Stream(about.as_ref().unwrap_or(name)))
    }
}
