//! Subjects.

use super::route::{Answer, Route, operation};
use crate::subjects;
use axum::routing::delete;

/// Its routes.
pub(super) const ROUTES: &[Route] = &[Route {
    path: "/v1/subjects/{subject}",
    handler: || delete(subjects::forget),
    operations: &[operation(
        "DELETE",
        "forgetSubject",
        "Make what is personal of a subject unreadable for ever, in every copy",
        &[Answer { status: 204, says: "It is forgotten", content: &[] }],
    )],
}];
