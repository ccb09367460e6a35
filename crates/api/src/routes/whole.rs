//! The ledger and the server as a whole.

use super::route::{POSITION, Route, WAITING, done, operation};
use crate::{form::JSON, monitoring, openapi, whole};
use axum::routing::get;

/// Its routes.
pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "/v1/head",
        handler: || get(whole::head),
        operations: &[operation("GET", "getHead", "Get the position of the last event", POSITION)
            .with(&[WAITING])],
    },
    Route {
        path: "/v1/position",
        handler: || get(whole::position),
        operations: &[operation(
            "GET",
            "getPositionAt",
            "Get the position of the last event at a moment",
            POSITION,
        )
        .with(&[&["at"]])],
    },
    Route {
        path: "/v1/openapi.json",
        handler: || get(openapi::serve),
        operations: &[operation(
            "GET",
            "getDescription",
            "Get this description",
            &[done("This description", &[(JSON, "")])],
        )
        .for_anybody()],
    },
    Route {
        path: "/healthz",
        handler: || get(monitoring::health),
        operations: &[operation(
            "GET",
            "getHealth",
            "Find out whether the ledger can be used",
            &[done("It can", &[("text/plain", "")])],
        )
        .for_anybody()],
    },
    Route {
        path: "/metrics",
        handler: || get(monitoring::metrics),
        operations: &[operation(
            "GET",
            "getMetrics",
            "Get figures, in the text format of Prometheus",
            &[done("Figures", &[("text/plain", "")])],
        )],
    },
];
