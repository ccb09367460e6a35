//! Streams, their events and snapshots.

use super::{
    events::{EVENT, EVENTS},
    route::{Answer, EXPECTING, FORM, PART, POSITION, Route, WAITING, done, operation},
};
use crate::{
    appends,
    form::{CLOUD_BATCH, CLOUD_EVENT, JSON, LINES},
    reads, single, snapshots, streams,
};
use axum::routing::{get, post};

/// Its routes.
pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "/v1/streams",
        handler: || get(streams::list),
        operations: &[operation(
            "GET",
            "listStreams",
            "List streams by name",
            &[done("A page of streams", &[(JSON, "Streams")])],
        )
        .with(&[&["prefix", "after", "limit", "system"], WAITING])],
    },
    Route {
        path: "/v1/streams/{stream}",
        handler: || {
            get(reads::read_stream)
                .head(streams::state)
                .post(appends::append)
                .delete(streams::delete)
        },
        operations: &[
            operation("GET", "readStream", "Read or follow the events of a stream", EVENTS)
                .with(&[PART, WAITING, &["kind_prefix"], FORM]),
            operation(
                "HEAD",
                "headStream",
                "Get the version of a stream, in `ETag`",
                &[done("There is such a stream", &[])],
            )
            .with(&[WAITING]),
            operation(
                "POST",
                "append",
                "Append events",
                &[Answer {
                    status: 201,
                    says: "Where the last event went",
                    content: &[(JSON, "Appended")],
                }],
            )
            .with(&[EXPECTING])
            .of(&[
                (JSON, "NewEvents"),
                (LINES, "NewEvent"),
                (CLOUD_EVENT, "CloudEvent"),
                (CLOUD_BATCH, "CloudEvents"),
            ]),
            operation("DELETE", "deleteStream", "Delete a stream", POSITION)
                .with(&[&["tombstone"], EXPECTING]),
        ],
    },
    Route {
        path: "/v1/streams/{stream}/events/{version}",
        handler: || get(single::by_version),
        operations: &[operation("GET", "getStreamEvent", "Get an event of a stream", EVENT)
            .with(&[WAITING, &["format"]])],
    },
    Route {
        path: "/v1/streams/{stream}/truncate",
        handler: || post(streams::truncate),
        operations: &[operation(
            "POST",
            "truncateStream",
            "Remove events from the start of a stream",
            POSITION,
        )
        .with(&[EXPECTING])
        .of(&[(JSON, "Truncation")])],
    },
    Route {
        path: "/v1/streams/{stream}/snapshot",
        handler: || get(snapshots::newest).put(snapshots::save),
        operations: &[
            operation(
                "GET",
                "getSnapshot",
                "Get the newest snapshot of a stream",
                &[done("The snapshot", &[(JSON, "Snapshot")])],
            )
            .with(&[&["up_to"]]),
            operation(
                "PUT",
                "saveSnapshot",
                "Save what the events of a stream amount to",
                &[Answer { status: 204, says: "It is saved", content: &[] }],
            )
            .of(&[(JSON, "Snapshot")]),
        ],
    },
];
