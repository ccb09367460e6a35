//! What a client is told when the gateway answers by itself: RFC 9457 problem details.

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER},
};
use serde::Serialize;

/// Seconds after which a client may ask again when no backend is ready.
const RETRY_AFTER_SECONDS: &str = "1";
const MEDIA_TYPE: &str = "application/problem+json";

/// Why the gateway answers by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    BadRequest(String),
    NoRoute,
    Method,
    RequestTimeout,
    BodyTooLong,
    TargetTooLong,
    HeadTooLarge,
    Unreachable,
    BadResponse,
    NoBackend,
    ResponseTimeout,
}

/// RFC 9457, section 3.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
}

impl Problem {
    /// What `hyper` found wrong with a request before the gateway saw it.
    pub(crate) fn of_parser(status: StatusCode) -> Self {
        match status {
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Self::HeadTooLarge,
            StatusCode::URI_TOO_LONG => Self::TargetTooLong,
            _ => Self::BadRequest("the request is not valid HTTP/1.1".to_owned()),
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Unreachable | Self::BadResponse => StatusCode::BAD_GATEWAY,
            Self::NoBackend => StatusCode::SERVICE_UNAVAILABLE,
            Self::ResponseTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "urn:fairway:problem:bad-request",
            Self::NoRoute => "urn:fairway:problem:no-route",
            Self::Method => "urn:fairway:problem:method",
            Self::RequestTimeout => "urn:fairway:problem:request-timeout",
            Self::BodyTooLong => "urn:fairway:problem:body-too-long",
            Self::TargetTooLong => "urn:fairway:problem:target-too-long",
            Self::HeadTooLarge => "urn:fairway:problem:head-too-large",
            Self::Unreachable => "urn:fairway:problem:unreachable",
            Self::BadResponse => "urn:fairway:problem:bad-response",
            Self::NoBackend => "urn:fairway:problem:no-backend",
            Self::ResponseTimeout => "urn:fairway:problem:response-timeout",
        }
    }

    fn detail(&self) -> &str {
        match self {
            Self::BadRequest(detail) => detail,
            Self::NoRoute => "no route matches this host and path",
            Self::Method => "the gateway opens no tunnels",
            Self::RequestTimeout => "the request's body did not arrive in time",
            Self::BodyTooLong => "the request's body is longer than the gateway allows",
            Self::TargetTooLong => "the request's target is longer than the gateway allows",
            Self::HeadTooLarge => {
                "the request's headers are more or longer than the gateway allows"
            }
            Self::Unreachable => "the service did not accept a connection",
            Self::BadResponse => "the service closed the connection without a valid response",
            Self::NoBackend => "the service has no ready instance",
            Self::ResponseTimeout => "the service did not respond in time",
        }
    }

    /// The document as JSON.
    pub(crate) fn document(&self, request_id: Option<&str>) -> Bytes {
        let status = self.status();
        let document = Document {
            kind: self.kind(),
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: self.detail(),
            instance: request_id.map(|id| format!("urn:fairway:request:{id}")),
        };
        serde_json::to_vec(&document).expect("text and numbers are always JSON").into()
    }

    /// The head of a response with this problem.
    pub(crate) fn head(&self) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        match self {
            Self::NoBackend => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS))
            }
            // What follows a malformed request on its connection cannot be trusted.
            Self::BadRequest(_) => headers.insert(CONNECTION, HeaderValue::from_static("close")),
            _ => None,
        };
        response
    }

    /// A whole response as bytes that closes the connection, for a request that was not parsed.
    pub(crate) fn raw(&self) -> Bytes {
        let (status, document) = (self.status(), self.document(None));
        let reason = status.canonical_reason().unwrap_or_default();
        let mut raw = format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            status.as_u16(),
            document.len(),
        )
        .into_bytes();
        raw.extend_from_slice(&document);
        raw.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_problem_is_rfc_9457_json() {
        let json = Problem::NoBackend.document(Some("7f"));
        expect![[r#"{"type":"urn:fairway:problem:no-backend","title":"Service Unavailable","status":503,"detail":"the service has no ready instance","instance":"urn:fairway:request:7f"}"#]].assert_eq(str::from_utf8(&json).unwrap());
    }

    #[test]
    fn a_refusal_without_a_request_is_a_whole_response() {
        let raw = Problem::of_parser(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE).raw();
        expect![[r#"
            HTTP/1.1 431 Request Header Fields Too Large
            content-type: application/problem+json
            content-length: 176
            connection: close

            {"type":"urn:fairway:problem:head-too-large","title":"Request Header Fields Too Large","status":431,"detail":"the request's headers are more or longer than the gateway allows"}"#]].assert_eq(&str::from_utf8(&raw).unwrap().replace('\r', ""));
    }
}
