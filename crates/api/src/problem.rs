//! What a client is told when something is not done: problem details (RFC 9457).

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use fairway_ledger::{AppendError, LedgerError, StreamName, Version};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde_json::{Value, json};
use std::error::Error;

/// The media type of problem details.
pub(crate) const PROBLEM: &str = "application/problem+json";
/// When a client may try again after it was refused for now, in seconds.
const RETRY_SECONDS: &str = "1";

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: ProblemKind,
    detail: String,
    found: Option<(StreamName, Version)>,
    /// What is for who runs the server.
    cause: Option<Cause>,
}

/// Why the ledger, or what goes with it, could not be used, with the causes of that: for who runs the
/// server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cause(pub(crate) String);

impl Cause {
    fn of(error: &dyn Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            text += &[": ", &error.to_string()].concat();
            source = error.source();
        }
        Self(text)
    }
}

/// The sorts of problems; each has a name in `type` and a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    /// A parameter, header or name is not understood.
    Request,
    /// There is no such route, stream, event or snapshot.
    Missing,
    /// The route knows other methods.
    Method,
    /// No token, or one that is not known or has expired.
    Token,
    /// The token has no right to it.
    Forbidden,
    /// The stream is not as expected.
    Conflict,
    /// The stream is not as the `If-Match` or `If-None-Match` header says.
    Precondition,
    /// The stream is closed for ever.
    Tombstoned,
    /// The ledger takes appends at another place.
    Moved,
    /// The body or something in it is too large.
    TooLarge,
    /// The body has a form that is not known here.
    MediaType,
    /// No form that the client accepts can be given.
    NotAcceptable,
    /// The body is in its form, but is not what is wanted.
    Content,
    /// The body came too slowly.
    Slow,
    /// The ledger is not there yet.
    Behind,
    /// Too much is going on.
    Busy,
    /// The ledger cannot be used now.
    Unavailable,
    /// The disk is full.
    Full,
    /// A fault of the ledger.
    Fault,
}

impl ProblemKind {
    /// The status, the name and the title.
    pub(crate) fn facts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Request => (StatusCode::BAD_REQUEST, "request", "The request is not understood"),
            Self::Missing => (StatusCode::NOT_FOUND, "missing", "There is nothing"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method", "The method is not known"),
            Self::Token => (StatusCode::UNAUTHORIZED, "token", "A valid token is needed"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "There is no right to it"),
            Self::Conflict => (StatusCode::CONFLICT, "conflict", "The stream is not as expected"),
            Self::Precondition => {
                (StatusCode::PRECONDITION_FAILED, "precondition", "The stream is not as expected")
            }
            Self::Tombstoned => (StatusCode::GONE, "tombstoned", "The stream is closed for ever"),
            Self::Moved => {
                (StatusCode::MISDIRECTED_REQUEST, "moved", "The ledger takes no appends here")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "It is too large"),
            Self::MediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "The media type is not known")
            }
            Self::NotAcceptable => {
                (StatusCode::NOT_ACCEPTABLE, "not-acceptable", "No accepted form can be given")
            }
            Self::Content => {
                (StatusCode::UNPROCESSABLE_ENTITY, "content", "The content is not what is wanted")
            }
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "slow", "The body came too slowly"),
            Self::Behind => (StatusCode::SERVICE_UNAVAILABLE, "behind", "It is not there yet"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "Too much is going on"),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The ledger cannot be used now")
            }
            Self::Full => (StatusCode::INSUFFICIENT_STORAGE, "full", "The disk is full"),
            Self::Fault => (StatusCode::INTERNAL_SERVER_ERROR, "fault", "The ledger has a fault"),
        }
    }
}

impl Problem {
    pub(crate) fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), found: None, cause: None }
    }

    /// A parameter, header or name that is not understood.
    pub(crate) fn request(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Request, detail)
    }

    /// A body that is in its form, but is not what is wanted.
    pub(crate) fn content(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Content, detail)
    }

    /// A fault of what the service uses: what it says is for who runs the server.
    pub(crate) fn of_fault(detail: &str, error: &dyn Error) -> Self {
        Self { cause: Some(Cause::of(error)), ..Self::new(ProblemKind::Fault, detail) }
    }

    /// The same of a request that said what it expects in a header of HTTP.
    pub(crate) fn of_precondition(self) -> Self {
        match self.kind {
            ProblemKind::Conflict => Self { kind: ProblemKind::Precondition, ..self },
            _ => self,
        }
    }

    /// The problem as JSON.
    pub(crate) fn to_json(&self) -> Value {
        let (status, name, title) = self.kind.facts();
        let mut json = json!({
            "type": format!("urn:fairway:problem:{name}"),
            "title": title,
            "status": status.as_u16(),
            "detail": self.detail,
        });
        if let Some((stream, version)) = &self.found {
            json["stream"] = stream.as_str().into();
            json["version"] = version.0.into();
        }
        json
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.to_json().to_string()));
        *response.status_mut() = self.kind.facts().0;
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        match self.kind {
            ProblemKind::Token => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            ProblemKind::Behind | ProblemKind::Busy | ProblemKind::Unavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
            }
            _ => {}
        }
        response
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        let detail = error.to_string();
        let kind = match error {
            AppendError::Conflict { stream, actual } => {
                let found = Some((stream, actual));
                return Self { found, ..Self::new(ProblemKind::Conflict, detail) };
            }
            AppendError::Tombstoned(_) => ProblemKind::Tombstoned,
            AppendError::EventTooLarge { .. } | AppendError::BatchTooLarge => ProblemKind::TooLarge,
            AppendError::Personal { ref source, .. } => {
                return Self::content(format!("{detail}: {source}"));
            }
            AppendError::OfMetadata(_)
            | AppendError::StreamFull(_)
            | AppendError::SameStream(_)
            | AppendError::SameId(_) => ProblemKind::Content,
            AppendError::Ledger(error) => return error.into(),
        };
        Self::new(kind, detail)
    }
}

/// Where the ledger is and what its backend said is for who runs the server, not for its clients.
impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        let cause = Some(Cause::of(&error));
        let (kind, detail) = match error {
            LedgerError::DiskFull { .. } => (ProblemKind::Full, "nothing was stored"),
            LedgerError::NotWritable { .. } => {
                (ProblemKind::Unavailable, "the ledger cannot be written")
            }
            LedgerError::Busy(_) => (ProblemKind::Unavailable, "the ledger is kept busy"),
            LedgerError::Unreachable { .. } => {
                (ProblemKind::Unavailable, "the server of the ledger does not answer")
            }
            LedgerError::Fenced(_) => {
                (ProblemKind::Unavailable, "another process appends to the ledger now")
            }
            LedgerError::Moved { .. } => {
                (ProblemKind::Moved, "the ledger was moved, or this is a copy; nothing was stored")
            }
            LedgerError::Closed => (ProblemKind::Unavailable, "the ledger is closed"),
            LedgerError::Missing(_)
            | LedgerError::Newer { .. }
            | LedgerError::Damaged { .. }
            | LedgerError::Unsupported(_)
            | LedgerError::Backend { .. }
            | LedgerError::Projection { .. }
            | LedgerError::Row { .. } => (ProblemKind::Fault, "the ledger has a fault"),
        };
        Self { cause, ..Self::new(kind, detail) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn where_a_ledger_is_and_what_its_backend_said_is_not_told_to_clients() {
        let source = Arc::new(std::io::Error::other("page 7 is torn"));
        let error = LedgerError::Damaged { ledger: "/secret/place".to_owned(), source };
        let response = Problem::from(error).into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let cause = &response.extensions().get::<Cause>().unwrap().0;
        assert_eq!(cause, "`/secret/place` is damaged or is not a ledger: page 7 is torn");
        let problem = Problem::from(LedgerError::Busy("/secret/place".to_owned()));
        assert!(!problem.to_json().to_string().contains("secret"));
    }

    #[test]
    fn who_appends_to_a_ledger_that_was_moved_is_not_asked_to_try_again_there() {
        let place = |name: &str| format!("/secret/{name}");
        let problem = Problem::from(LedgerError::Moved { ledger: place("one"), to: place("two") });
        assert!(!problem.to_json().to_string().contains("secret"));
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
        assert!(!response.headers().contains_key(RETRY_AFTER));
    }
}
