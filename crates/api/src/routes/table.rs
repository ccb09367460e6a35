//! The routes of all parts.

use super::{events, groups, read_models, route::Route, streams, subjects, whole};

/// All routes.
pub(crate) fn routes() -> impl Iterator<Item = &'static Route> {
    let parts = [
        events::ROUTES,
        streams::ROUTES,
        groups::ROUTES,
        read_models::ROUTES,
        subjects::ROUTES,
        whole::ROUTES,
    ];
    parts.into_iter().flatten()
}
