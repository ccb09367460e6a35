//! One ledger as an HTTP service.

use crate::{
    access::Access,
    body::Room,
    problem::{Problem, ProblemKind},
    routes::ROUTES,
};
use axum::Router;
use fairway_ledger::Ledger;
use http::{HeaderValue, Request, header::CONTENT_TYPE};
use hyper::{body::Incoming, service::Service};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Most readers that are given everything or what comes, at once.
pub const READERS_MAX: usize = 1_024;

/// How the content types of gRPC begin.
const GRPC: &[u8] = b"application/grpc";

/// A ledger as an HTTP service, before it is put on a listener.
#[derive(Debug, Clone)]
pub struct Api {
    ledger: Ledger,
    grpc: Option<Router>,
}

/// What answers requests, by their content type.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    plain: TowerToHyperService<Router>,
    grpc: Option<TowerToHyperService<Router>>,
}

impl Services {
    /// Answers a request.
    pub(crate) fn call(
        &self,
        request: Request<Incoming>,
    ) -> <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future {
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
    /// Turns true when the server is about to end.
    pub(crate) closing: watch::Receiver<bool>,
    pub(crate) readers: Arc<Semaphore>,
    pub(crate) room: Room,
}

impl Api {
    /// A service for everybody who reaches it.
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger, grpc: None }
    }

    /// Hands requests with the content type `application/grpc` to another service on the same port.
    #[must_use]
    pub fn with_grpc(self, grpc: Router) -> Self {
        Self { grpc: Some(grpc), ..self }
    }

    /// What answers requests; readers end when `closing` turns true.
    pub(crate) fn services(self, closing: watch::Receiver<bool>) -> Services {
        let grpc = self.grpc.clone().map(TowerToHyperService::new);
        Services { plain: TowerToHyperService::new(self.router(closing)), grpc }
    }

    fn router(self, closing: watch::Receiver<bool>) -> Router {
        let readers = Arc::new(Semaphore::new(READERS_MAX));
        let shared = Shared { ledger: self.ledger, closing, readers, room: Room::default() };
        let mut router = Router::new();
        for route in ROUTES {
            router = router.route(route.path, (route.handler)());
        }
        let missing = async || Problem::new(ProblemKind::Missing, "there is no such route");
        let method = async || Problem::new(ProblemKind::Method, "the route knows other methods");
        router.fallback(missing).method_not_allowed_fallback(method).with_state(Arc::new(shared))
    }
}

impl Shared {
    /// What a caller may do, by what it sent.
    pub(crate) fn access(&self) -> Result<Access, Problem> {
        Ok(Access::All)
    }
}
