//! What is sent back.

use crate::form::JSON;
use axum::{body::Body, response::Response};
use fairway_ledger::{Position, Version};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG},
};
use serde_json::Value;

/// Says up to where of the ledger an answer is true, or where an append went.
pub(crate) const POSITION: HeaderName = HeaderName::from_static("fairway-position");

/// JSON.
pub(crate) fn json(status: StatusCode, json: &Value) -> Response {
    typed(status, JSON, json.to_string())
}

/// Anything with a media type. Nothing is kept by caches: it may be changed by truncation.
pub(crate) fn typed(status: StatusCode, media: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Nothing but headers.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Adds a position.
pub(crate) fn at(mut response: Response, position: Position) -> Response {
    response.headers_mut().insert(POSITION, position.0.into());
    response
}

/// Adds the version of a stream, as what `If-Match` takes.
pub(crate) fn tagged(mut response: Response, version: Version) -> Response {
    let tag = HeaderValue::try_from(format!("\"{version}\""));
    response.headers_mut().insert(ETAG, tag.expect("a number in quotes is a header"));
    response
}
