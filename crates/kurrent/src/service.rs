//! Which call a path means.

use crate::{
    append, batch,
    calls::{self, RequestBody},
    delete, features, gossip, reading,
    rights::{Caller, Rights},
};
use fairway_ledger::Ledger;
use http::{HeaderMap, Request, Response, header::CONTENT_TYPE, uri::Scheme};
use std::{future::ready, sync::Arc};
use tonic::{Status, body::Body};

/// Answers gRPC requests of KurrentDB's clients. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Kurrent {
    ledger: Ledger,
    rights: Arc<dyn Rights>,
}

/// Whether a request is a gRPC call, by its content type.
pub fn is_grpc(headers: &HeaderMap) -> bool {
    let content = headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    content.is_some_and(|content| content.starts_with(b"application/grpc"))
}

impl Kurrent {
    /// Serves a ledger to those whom `rights` let in.
    pub fn new(ledger: Ledger, rights: Arc<dyn Rights>) -> Self {
        Self { ledger, rights }
    }

    /// Answers one request, which has to come over HTTP/2. Failures are gRPC answers too.
    pub async fn handle<B: RequestBody>(&self, request: Request<B>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        match path.strip_prefix("/event_store.client.").and_then(|path| path.split_once('/')) {
            Some(("streams.Streams", method)) => self.streams(method, request).await,
            Some(("gossip.Gossip", "Read")) => {
                let called = gossip::called(request.uri(), request.headers());
                let is_tls = request.uri().scheme() == Some(&Scheme::HTTPS);
                let cluster = gossip::cluster(&self.ledger, called, is_tls);
                calls::unary(request, |()| ready(Ok(cluster.clone()))).await
            }
            Some(("server_features.ServerFeatures", "GetSupportedMethods")) => {
                calls::unary(request, |()| ready(Ok(features::supported()))).await
            }
            _ => unknown(&path),
        }
    }

    async fn streams<B: RequestBody>(&self, method: &str, request: Request<B>) -> Response<Body> {
        let caller = Caller::of(self.rights.clone(), request.headers());
        let with = || (self.ledger.clone(), caller.clone());
        match method {
            "Read" => {
                calls::server_streaming(request, |message| {
                    let (ledger, caller) = with();
                    reading::read(ledger, caller, message)
                })
                .await
            }
            "Append" => {
                calls::client_streaming(request, |messages| {
                    let (ledger, caller) = with();
                    append::append(ledger, caller, messages)
                })
                .await
            }
            "BatchAppend" => {
                calls::streaming(request, |messages| {
                    let (ledger, caller) = with();
                    batch::appends(ledger, caller, messages)
                })
                .await
            }
            "Delete" => {
                calls::unary(request, |message| {
                    let (ledger, caller) = with();
                    delete::delete(ledger, caller, message)
                })
                .await
            }
            "Tombstone" => {
                calls::unary(request, |message| {
                    let (ledger, caller) = with();
                    delete::tombstone(ledger, caller, message)
                })
                .await
            }
            _ => unknown(request.uri().path()),
        }
    }
}

fn unknown(path: &str) -> Response<Body> {
    Status::unimplemented(format!("`{path}` is not implemented")).into_http()
}
