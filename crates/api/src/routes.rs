//! All routes: what the service answers, and what its description lists.

use crate::{api::Shared, appends, reads};
use axum::routing::{MethodRouter, get, post};
use std::sync::Arc;

/// A path with what is done there.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) handler: fn() -> MethodRouter<Arc<Shared>>,
}

/// All routes.
pub(crate) const ROUTES: &[Route] = &[
    Route { path: "/v1/append", handler: || post(appends::append_all) },
    Route { path: "/v1/events", handler: || get(reads::read_all) },
    Route { path: "/v1/categories/{category}", handler: || get(reads::read_category) },
    Route {
        path: "/v1/streams/{stream}",
        handler: || get(reads::read_stream).post(appends::append),
    },
];
