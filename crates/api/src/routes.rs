//! All routes: what the service answers, and what its description lists.

use crate::{api::Shared, appends, monitoring, reads, single, snapshots, streams, whole};
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
    Route { path: "/v1/events/{position}", handler: || get(single::by_position) },
    Route { path: "/v1/categories/{category}", handler: || get(reads::read_category) },
    Route { path: "/v1/streams", handler: || get(streams::list) },
    Route {
        path: "/v1/streams/{stream}",
        handler: || {
            get(reads::read_stream)
                .head(streams::state)
                .post(appends::append)
                .delete(streams::delete)
        },
    },
    Route { path: "/v1/streams/{stream}/events/{version}", handler: || get(single::by_version) },
    Route { path: "/v1/streams/{stream}/truncate", handler: || post(streams::truncate) },
    Route {
        path: "/v1/streams/{stream}/snapshot",
        handler: || get(snapshots::newest).put(snapshots::save),
    },
    Route { path: "/v1/head", handler: || get(whole::head) },
    Route { path: "/v1/position", handler: || get(whole::position) },
    Route { path: "/healthz", handler: || get(monitoring::health) },
    Route { path: "/metrics", handler: || get(monitoring::metrics) },
];
