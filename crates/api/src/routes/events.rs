//! Events: appended to several streams, read, followed.

use super::route::{Answer, CHOICE, FORM, PART, Route, WAITING, done, operation};
use crate::{
    appends,
    form::{CLOUD_BATCH, CLOUD_EVENT, JSON, LINES, LIVE},
    reads, single,
};
use axum::routing::{get, post};

/// Events, in any form.
pub(super) const EVENTS: &[Answer] = &[done(
    "Events, in the form that the client accepts",
    &[(JSON, "Page"), (LINES, "Event"), (LIVE, ""), (CLOUD_BATCH, "CloudEvents")],
)];
/// One event.
pub(super) const EVENT: &[Answer] =
    &[done("The event", &[(JSON, "Event"), (CLOUD_EVENT, "CloudEvent")])];

/// Its routes.
pub(super) const ROUTES: &[Route] =
    &[
        Route {
            path: "/v1/append",
            handler: || post(appends::append_all),
            operations: &[operation(
                "POST",
                "appendAll",
                "Append to several streams, to all or to none",
                &[Answer {
                    status: 201,
                    says: "Where the events went, in the order of the appends",
                    content: &[(JSON, "AppendedAll")],
                }],
            )
            .of(&[(JSON, "Appends")])],
        },
        Route {
            path: "/v1/events",
            handler: || get(reads::read_all),
            operations: &[operation("GET", "readAll", "Read or follow all events", EVENTS)
                .with(&[PART, WAITING, &["category"], CHOICE, FORM])],
        },
        Route {
            path: "/v1/events/{position}",
            handler: || get(single::by_position),
            operations: &[operation("GET", "getEvent", "Get the event at a position", EVENT)
                .with(&[WAITING, &["format"]])],
        },
        Route {
            path: "/v1/categories/{category}",
            handler: || get(reads::read_category),
            operations: &[operation(
                "GET",
                "readCategory",
                "Read or follow the events of a category",
                EVENTS,
            )
            .with(&[PART, WAITING, CHOICE, FORM])],
        },
    ];
