//! Which call a path means.

use crate::{
    append, batch,
    calls::{End, RequestBody, client_streaming, server_streaming, streaming, unary},
    delete, features, gossip, groups, reading, records,
    rights::{Caller, Rights},
};
use fairway_events::Groups;
use fairway_ledger::Ledger;
use http::{HeaderMap, HeaderValue, Request, Response, header::CONTENT_TYPE, uri::Scheme};
use std::{future::ready, sync::Arc};
use tonic::{Status, body::Body};

/// Answers gRPC requests of KurrentDB's clients. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Kurrent {
    ledger: Ledger,
    groups: Groups,
    rights: Arc<dyn Rights>,
    end: End,
}

/// Whether a request is a gRPC call, by its content type.
pub fn is_grpc(headers: &HeaderMap) -> bool {
    let content = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    content.is_some_and(|content| content.starts_with(b"application/grpc"))
}

impl Kurrent {
    /// Serves a ledger and its groups to those whom `rights` let in.
    pub fn new(groups: Groups, rights: Arc<dyn Rights>) -> Self {
        Self { ledger: groups.ledger().clone(), groups, rights, end: End::new() }
    }

    /// Ends all subscriptions, consumers and other calls with many answers, so that their server can
    /// end as well. Clients find their server unavailable, and look for it again.
    pub fn close(&self) {
        self.end.now();
    }

    /// Answers one request, which has to come over HTTP/2. Failures are gRPC answers too.
    pub async fn handle<B: RequestBody>(&self, request: Request<B>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        if let Some(method) = path.strip_prefix("/kurrentdb.protocol.v2.streams.StreamsService/") {
            return self.records(method, request).await;
        }
        match path.strip_prefix("/event_store.client.").and_then(|path| path.split_once('/')) {
            Some(("streams.Streams", method)) => self.streams(method, request).await,
            Some(("persistent_subscriptions.PersistentSubscriptions", method)) => {
                self.persistent_subscriptions(method, request).await
            }
            Some(("gossip.Gossip", "Read")) => {
                let called = gossip::called(request.uri(), request.headers());
                let is_tls = request.uri().scheme() == Some(&Scheme::HTTPS);
                let cluster = gossip::cluster(&self.ledger, called, is_tls);
                unary(request, |()| ready(Ok(cluster.clone()))).await
            }
            Some(("server_features.ServerFeatures", "GetSupportedMethods")) => {
                unary(request, |()| ready(Ok(features::supported()))).await
            }
            _ => unknown(&path),
        }
    }

    async fn streams<B: RequestBody>(&self, method: &str, request: Request<B>) -> Response<Body> {
        let caller = Caller::of(self.rights.clone(), request.headers());
        let on = (&self.ledger, &caller);
        match method {
            "Read" => server_streaming(request, &self.end, with(on, reading::read)).await,
            "Append" => client_streaming(request, with(on, append::append)).await,
            "BatchAppend" => streaming(request, &self.end, with(on, batch::appends)).await,
            "Delete" => unary(request, with(on, delete::delete)).await,
            "Tombstone" => unary(request, with(on, delete::tombstone)).await,
            _ => unknown(request.uri().path()),
        }
    }

    async fn records<B: RequestBody>(&self, method: &str, request: Request<B>) -> Response<Body> {
        let caller = Caller::of(self.rights.clone(), request.headers());
        let on = (&self.ledger, &caller);
        match method {
            "AppendSession" => client_streaming(request, with(on, records::append_session)).await,
            "AppendRecords" => unary(request, with(on, records::append_records)).await,
            _ => unknown(request.uri().path()),
        }
    }

    async fn persistent_subscriptions<B: RequestBody>(
        &self,
        method: &str,
        request: Request<B>,
    ) -> Response<Body> {
        let caller = Caller::of(self.rights.clone(), request.headers());
        let on = (&self.groups, &caller);
        match method {
            "Read" => streaming(request, &self.end, with(on, groups::consume)).await,
            "Create" => unary(request, with(on, groups::create)).await,
            "Update" => unary(request, with(on, groups::update)).await,
            "Delete" => unary(request, with(on, groups::delete)).await,
            "GetInfo" => unary(request, with(on, groups::get_info)).await,
            "List" => unary(request, with(on, groups::list)).await,
            "ReplayParked" => unary(request, with(on, groups::replay_parked)).await,
            "RestartSubsystem" => unary(request, with(on, groups::restart)).await,
            _ => unknown(request.uri().path()),
        }
    }
}

/// A call by a caller.
fn with<On: Clone, Q, T>(
    (on, caller): (&On, &Caller),
    call: impl Fn(On, Caller, Q) -> T,
) -> impl FnMut(Q) -> T {
    let (on, caller) = (on.clone(), caller.clone());
    move |message| call(on.clone(), caller.clone(), message)
}

fn unknown(path: &str) -> Response<Body> {
    Status::unimplemented(format!("`{path}` is not implemented")).into_http()
}
