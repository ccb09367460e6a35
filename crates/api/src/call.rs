//! A request, taken apart.

use crate::{
    access::{Access, Right},
    api::Shared,
    body::{self, Held},
    form::JSON,
    params::Params,
    problem::{Problem, ProblemKind},
};
use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts as _, Query, RawPathParams, Request},
};
use fairway_ledger::StreamName;
use http::{HeaderMap, Uri, header::AUTHORIZATION};
use std::sync::Arc;

/// A request, taken apart. Whoever calls has been found out.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) api: Arc<Shared>,
    pub(crate) access: Access,
    pub(crate) params: Params,
    pub(crate) headers: HeaderMap,
    pub(crate) uri: Uri,
    segments: Vec<(String, String)>,
    body: Body,
}

impl FromRequest<Arc<Shared>> for Call {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<Shared>) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let access = api.access(parts.headers.get(AUTHORIZATION))?;
        let segments = RawPathParams::from_request_parts(&mut parts, api).await;
        let segments = segments.map_err(|_| Problem::request("the path is not UTF-8"))?;
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let segments = segments.iter().map(own).collect();
        let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        let query = query.map_err(|_| Problem::request("the query is not understood"))?.0;
        Ok(Self {
            api: api.clone(),
            access,
            params: Params::new(query)?,
            headers: parts.headers,
            uri: parts.uri,
            segments,
            body,
        })
    }
}

impl Call {
    /// A part of the path, percent-decoded.
    pub(crate) fn segment(&self, name: &str) -> &str {
        let found = self.segments.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The stream that the path names, if the caller has a right to it.
    pub(crate) fn stream(&self, right: Right) -> Result<StreamName, Problem> {
        let stream: StreamName =
            self.segment("stream").parse().map_err(|error| Problem::request(format!("{error}")))?;
        self.allowed(right, &stream)?;
        Ok(stream)
    }

    /// Refuses what the caller has no right to. What the ledger itself writes, nobody else does.
    pub(crate) fn allowed(&self, right: Right, stream: &StreamName) -> Result<(), Problem> {
        let detail = match (right, self.access.may(right, stream)) {
            (Right::Append | Right::Manage, _) if stream.is_own() => {
                format!("`{stream}` is written by the ledger alone")
            }
            (_, true) => return Ok(()),
            (_, false) => format!("the token may not {} `{stream}`", right.verb()),
        };
        Err(Problem::new(ProblemKind::Forbidden, detail))
    }

    /// The body, whole.
    pub(crate) async fn body(&mut self) -> Result<Held<'_>, Problem> {
        let body = std::mem::take(&mut self.body);
        body::read((&self.api.room, self.api.patience), &self.headers, body).await
    }

    /// The body, whole, which has to be JSON.
    pub(crate) async fn json_body(&mut self) -> Result<Held<'_>, Problem> {
        match body::media(&self.headers)?.as_deref() {
            Some(JSON) => self.body().await,
            _ => Err(Problem::new(ProblemKind::MediaType, format!("it has to be `{JSON}`"))),
        }
    }
}
