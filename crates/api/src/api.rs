//! One ledger as an HTTP service.

use crate::{
    access::Access,
    body::Room,
    lingering::Lingering,
    monitoring::Metrics,
    outgoing::Outgoing,
    patience::Patience,
    problem::{Cause, Problem, ProblemKind},
    routes::routes,
    tokens::Tokens,
};
use axum::{
    BoxError, Router,
    body::{Body, HttpBody},
    middleware::map_response,
};
use bytes::Bytes;
use fairway_events::Groups;
use fairway_ledger::Ledger;
use fairway_read_models::ReadModels;
use fairway_subjects::Subjects;
use http::{HeaderValue, Request, Response, header::CONTENT_TYPE};
use hyper::{body::Incoming, service::Service};
use hyper_util::service::TowerToHyperService;
use std::{future::ready, sync::Arc};
use tokio::sync::{Semaphore, mpsc, watch};

/// Most readers that are given everything or what comes, at once.
pub const READERS_MAX: usize = 1_024;

/// How the content types of gRPC begin.
const GRPC: &[u8] = b"application/grpc";

/// A ledger as an HTTP service, before it is put on a listener.
#[derive(Debug, Clone)]
pub struct Api {
    ledger: Ledger,
    groups: Groups,
    read_models: Option<ReadModels>,
    subjects: Option<Subjects>,
    tokens: Option<watch::Receiver<Arc<Tokens>>>,
    faults: Option<mpsc::Sender<String>>,
    grpc: Option<Router>,
}

/// Tells what went wrong with the ledger; if nobody listens fast enough, some of it.
fn told(faults: &mpsc::Sender<String>, mut response: Response<Body>) -> Response<Body> {
    if let Some(Cause(cause)) = response.extensions_mut().remove() {
        drop(faults.try_send(cause));
    }
    response
}

/// What answers requests, by their content type.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    patience: Patience,
    plain: TowerToHyperService<Router>,
    grpc: Option<TowerToHyperService<Router>>,
}

impl Services {
    /// Answers a request.
    pub(crate) fn call(
        &self,
        request: Request<Incoming>,
    ) -> <TowerToHyperService<Router> as Service<Request<Lingering>>>::Future {
        let request = request.map(|body| Lingering::new(body, self.patience.pause));
        let content = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let is_grpc = content.is_some_and(|content| content.starts_with(GRPC));
        match &self.grpc {
            Some(grpc) if is_grpc => grpc.call(request),
            _ => self.plain.call(request),
        }
    }
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ledger: Ledger,
    pub(crate) groups: Groups,
    pub(crate) read_models: Option<ReadModels>,
    pub(crate) subjects: Option<Subjects>,
    /// Turns true when the server is about to end.
    pub(crate) closing: watch::Receiver<bool>,
    pub(crate) readers: Arc<Semaphore>,
    pub(crate) room: Room,
    pub(crate) patience: Patience,
    pub(crate) metrics: Metrics,
    tokens: Option<watch::Receiver<Arc<Tokens>>>,
}

impl Api {
    /// A service for everybody who reaches it.
    pub fn new(ledger: Ledger) -> Self {
        Self {
            groups: Groups::open(ledger.clone()),
            ledger,
            read_models: None,
            subjects: None,
            tokens: None,
            faults: None,
            grpc: None,
        }
    }

    /// A service for those who have one of these tokens, which may change.
    #[must_use]
    pub fn with_tokens(self, tokens: watch::Receiver<Arc<Tokens>>) -> Self {
        Self { tokens: Some(tokens), ..self }
    }

    /// Answers what is asked of these read models.
    #[must_use]
    pub fn with_read_models(self, read_models: ReadModels) -> Self {
        Self { read_models: Some(read_models), ..self }
    }

    /// Forgets subjects by their keys, with which the ledger keeps what is personal sealed.
    #[must_use]
    pub fn with_subjects(self, subjects: Subjects) -> Self {
        Self { subjects: Some(subjects), ..self }
    }

    /// The groups of the ledger: who hands out their events besides has to do it through these.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Tells why the ledger could not be used, which clients are not told, as long as somebody
    /// listens.
    #[must_use]
    pub fn with_faults(self, faults: mpsc::Sender<String>) -> Self {
        Self { faults: Some(faults), ..self }
    }

    /// Hands requests with the content type `application/grpc` to another service on the same port.
    #[must_use]
    pub fn with_grpc<H, F, B>(self, handle: H) -> Self
    where
        H: Fn(Request<Body>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let handle = move |request| {
            let answer = handle(request);
            async move { answer.await.map(Body::new) }
        };
        Self { grpc: Some(Router::new().fallback(handle)), ..self }
    }

    /// What answers requests; readers end when `closing` turns true.
    pub(crate) fn services(self, closing: watch::Receiver<bool>, patience: Patience) -> Services {
        let grpc = self.grpc.clone().map(TowerToHyperService::new);
        let plain = TowerToHyperService::new(self.router(closing, patience));
        Services { patience, plain, grpc }
    }

    fn router(self, closing: watch::Receiver<bool>, patience: Patience) -> Router {
        let readers = Arc::new(Semaphore::new(READERS_MAX));
        let shared = Shared {
            ledger: self.ledger,
            groups: self.groups,
            read_models: self.read_models,
            subjects: self.subjects,
            closing,
            patience,
            readers,
            room: Room::default(),
            metrics: Metrics::default(),
            tokens: self.tokens,
        };
        let mut router = Router::new();
        for route in routes() {
            router = router.route(route.path, (route.handler)());
        }
        let missing = async || Problem::new(ProblemKind::Missing, "there is no such route");
        let method = async || Problem::new(ProblemKind::Method, "the route knows other methods");
        let router = router.fallback(missing).method_not_allowed_fallback(method);
        let outgoing = Outgoing::default();
        let router = router.with_state(Arc::new(shared));
        let router = router.layer(map_response(move |response| ready(outgoing.admit(response))));
        match self.faults {
            Some(faults) => {
                router.layer(map_response(move |response| ready(told(&faults, response))))
            }
            None => router,
        }
    }
}

impl Shared {
    /// What a caller may do, by the `Authorization` that it sent.
    pub(crate) fn access(&self, authorization: Option<&HeaderValue>) -> Result<Access, Problem> {
        let Some(tokens) = &self.tokens else { return Ok(Access::All) };
        let tokens = tokens.borrow().clone();
        let access = tokens.access(authorization, self.ledger.clock().now());
        access.ok_or_else(|| {
            Metrics::count(&self.metrics.refusals, 1);
            Problem::new(ProblemKind::Token, "send one as `Authorization: Bearer TOKEN`")
        })
    }
}
