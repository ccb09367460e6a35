//! Which call a path means.

use crate::{
    append, batch,
    calls::{End, Host, RequestBody, client_streaming, server_streaming, streaming, unary},
    delete,
    faults::Faults,
    features, gossip, groups, reading, records,
    rights::{Caller, Rights},
    room::Room,
};
use fairway_events::Groups;
use fairway_ledger::Ledger;
use http::{HeaderMap, HeaderValue, Request, Response, header::CONTENT_TYPE, uri::Scheme};
use std::{future::ready, sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tonic::{Status, body::Body};

/// Answers gRPC requests of KurrentDB's clients. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Kurrent {
    ledger: Ledger,
    groups: Groups,
    rights: Arc<dyn Rights>,
    host: Host,
}

/// Whether a request is a gRPC call, by its content type.
pub fn is_grpc(headers: &HeaderMap) -> bool {
    let content = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    content.is_some_and(|content| content.starts_with(b"application/grpc"))
}

impl Kurrent {
    /// Serves a ledger and its groups to those whom `rights` let in.
    pub fn new(groups: Groups, rights: Arc<dyn Rights>) -> Self {
        let host = Host { end: End::new(), room: Room::new(), faults: Faults::default() };
        Self { ledger: groups.ledger().clone(), groups, rights, host }
    }

    /// Tells why the ledger could not be used, which clients are not told, as long as somebody
    /// listens.
    #[must_use]
    pub fn with_faults(self, faults: mpsc::Sender<String>) -> Self {
        Self { host: Host { faults: Faults::to(faults), ..self.host }, ..self }
    }

    /// Waits for the rest of what was begun, such as a message, for another time than a minute.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        let room = self.host.room.clone().with_patience(patience);
        Self { host: Host { room, ..self.host }, ..self }
    }

    /// Ends all subscriptions, consumers and other calls with many answers, so that their server can
    /// end as well. Clients find their server unavailable, and look for it again.
    pub fn close(&self) {
        self.host.end.now();
    }

    /// Answers one request, which has to come over HTTP/2. Failures are gRPC answers too.
    pub async fn handle<B: RequestBody>(&self, request: Request<B>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        if let Some(method) = path.strip_prefix("/kurrentdb.protocol.v2.streams.StreamsService/") {
            return self.guarded(Service::Records, method, request).await;
        }
        match path.strip_prefix("/event_store.client.").and_then(|path| path.split_once('/')) {
            Some(("streams.Streams", method)) => {
                self.guarded(Service::Streams, method, request).await
            }
            Some(("persistent_subscriptions.PersistentSubscriptions", method)) => {
                self.guarded(Service::Groups, method, request).await
            }
            Some(("gossip.Gossip", "Read")) => {
                let called = gossip::called(request.uri(), request.headers());
                let is_tls = request.uri().scheme() == Some(&Scheme::HTTPS);
                let cluster = gossip::cluster(&self.ledger, called, is_tls);
                unary(request, self.host.clone(), |()| ready(Ok(cluster.clone()))).await
            }
            Some(("server_features.ServerFeatures", "GetSupportedMethods")) => {
                unary(request, self.host.clone(), |()| ready(Ok(features::supported()))).await
            }
            _ => unknown(&path),
        }
    }

    /// A call of a service whose callers have to be known before anything that they send is read.
    async fn guarded<B: RequestBody>(
        &self,
        service: Service,
        method: &str,
        request: Request<B>,
    ) -> Response<Body> {
        let caller = Caller::of(self.rights.clone(), request.headers());
        if let Err(unknown) = caller.is_known() {
            return unknown.into_http();
        }
        match service {
            Service::Streams => self.streams(method, request, caller).await,
            Service::Records => self.records(method, request, caller).await,
            Service::Groups => self.persistent_subscriptions(method, request, caller).await,
        }
    }

    async fn streams<B: RequestBody>(
        &self,
        method: &str,
        request: Request<B>,
        caller: Caller,
    ) -> Response<Body> {
        let (on, host) = ((&self.ledger, &caller), self.host.clone());
        match method {
            "Read" => server_streaming(request, host, with(on, reading::read)).await,
            "Append" => client_streaming(request, host, with(on, append::append)).await,
            "BatchAppend" => {
                let room = host.room.clone();
                let appends = move |ledger, caller, messages| {
                    batch::appends((ledger, room.clone()), caller, messages)
                };
                streaming(request, host, with(on, appends)).await
            }
            "Delete" => unary(request, host, with(on, delete::delete)).await,
            "Tombstone" => unary(request, host, with(on, delete::tombstone)).await,
            _ => unknown(request.uri().path()),
        }
    }

    async fn records<B: RequestBody>(
        &self,
        method: &str,
        request: Request<B>,
        caller: Caller,
    ) -> Response<Body> {
        let (on, host) = ((&self.ledger, &caller), self.host.clone());
        match method {
            "AppendSession" => {
                client_streaming(request, host, with(on, records::append_session)).await
            }
            "AppendRecords" => unary(request, host, with(on, records::append_records)).await,
            _ => unknown(request.uri().path()),
        }
    }

    async fn persistent_subscriptions<B: RequestBody>(
        &self,
        method: &str,
        request: Request<B>,
        caller: Caller,
    ) -> Response<Body> {
        let (on, host) = ((&self.groups, &caller), self.host.clone());
        match method {
            "Read" => streaming(request, host, with(on, groups::consume)).await,
            "Create" => unary(request, host, with(on, groups::create)).await,
            "Update" => unary(request, host, with(on, groups::update)).await,
            "Delete" => unary(request, host, with(on, groups::delete)).await,
            "GetInfo" => unary(request, host, with(on, groups::get_info)).await,
            "List" => unary(request, host, with(on, groups::list)).await,
            "ReplayParked" => unary(request, host, with(on, groups::replay_parked)).await,
            "RestartSubsystem" => unary(request, host, with(on, groups::restart)).await,
            _ => unknown(request.uri().path()),
        }
    }
}

/// The services that are about what the ledger has.
#[derive(Debug, Clone, Copy)]
enum Service {
    Streams,
    Records,
    Groups,
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
