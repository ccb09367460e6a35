//! All routes: what the service answers, and what its description says of that.

use crate::{
    api::Shared,
    appends,
    form::{CLOUD_BATCH, CLOUD_EVENT, JSON, LINES, LIVE},
    groups, monitoring, openapi, read_models, reads, single, snapshots, streams, whole,
};
use axum::routing::{MethodRouter, get, post};
use std::sync::Arc;

/// A path with what is done there.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) handler: fn() -> MethodRouter<Arc<Shared>>,
    pub(crate) operations: &'static [Operation],
}

/// A method of a path.
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) who: Who,
    /// Names of parameters besides those of the path.
    pub(crate) parameters: &'static [&'static str],
    pub(crate) body: &'static [Content],
    pub(crate) answers: &'static [Answer],
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Those who have a token, where there are tokens.
    Known,
    /// Everybody.
    Anybody,
}

/// A media type with the name of a shape; none for text.
pub(crate) type Content = (&'static str, &'static str);

/// What is answered when it is done.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) says: &'static str,
    pub(crate) content: &'static [Content],
}

/// What the description says of a method; the rest is said by [`Operation`]'s own functions.
const fn operation(
    method: &'static str,
    id: &'static str,
    summary: &'static str,
    answers: &'static [Answer],
) -> Operation {
    Operation { method, id, summary, who: Who::Known, parameters: &[], body: &[], answers }
}

impl Operation {
    const fn with(self, parameters: &'static [&'static str]) -> Self {
        Self { parameters, ..self }
    }

    const fn of(self, body: &'static [Content]) -> Self {
        Self { body, ..self }
    }

    const fn for_anybody(self) -> Self {
        Self { who: Who::Anybody, ..self }
    }
}

const fn done(says: &'static str, content: &'static [Content]) -> Answer {
    Answer { status: 200, says, content }
}

const EVENTS: &[Answer] = &[done(
    "Events, in the form that the client accepts",
    &[(JSON, "Page"), (LINES, "Event"), (LIVE, ""), (CLOUD_BATCH, "CloudEvents")],
)];
const EVENT: &[Answer] = &[done("The event", &[(JSON, "Event"), (CLOUD_EVENT, "CloudEvent")])];
const POSITION: &[Answer] = &[done("The position", &[(JSON, "Position")])];

const GONE: &[Answer] = &[Answer { status: 204, says: "It is done", content: &[] }];
const GROUP: &[Answer] = &[
    Answer { status: 201, says: "The group is made", content: &[(JSON, "Group")] },
    done("The group is changed", &[(JSON, "Group")]),
];
const NOT_HELD: &[Answer] =
    &[done("Which of the events the consumer did not have", &[(JSON, "NotHeld")])];

const ASKED: &[Answer] = &[Answer { status: 202, says: "It will be done", content: &[] }];
const ROWS: &[Answer] = &[done("The rows, and what they are true for", &[(JSON, "Rows")])];

/// All routes.
pub(crate) const ROUTES: &[Route] = &[
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
        operations: &[operation("GET", "readAll", "Read or follow all events", EVENTS).with(&[
            "after",
            "before",
            "limit",
            "as_of",
            "as_of_time",
            "at_least",
            "wait",
            "category",
            "stream_prefix",
            "kind_prefix",
            "system",
            "format",
            "Last-Event-ID",
        ])],
    },
    Route {
        path: "/v1/events/{position}",
        handler: || get(single::by_position),
        operations: &[operation("GET", "getEvent", "Get the event at a position", EVENT)
            .with(&["at_least", "wait", "format"])],
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
        .with(&[
            "after",
            "before",
            "limit",
            "as_of",
            "as_of_time",
            "at_least",
            "wait",
            "stream_prefix",
            "kind_prefix",
            "system",
            "format",
            "Last-Event-ID",
        ])],
    },
    Route {
        path: "/v1/streams",
        handler: || get(streams::list),
        operations: &[operation(
            "GET",
            "listStreams",
            "List streams by name",
            &[done("A page of streams", &[(JSON, "Streams")])],
        )
        .with(&["prefix", "after", "limit", "system", "at_least", "wait"])],
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
            operation("GET", "readStream", "Read or follow the events of a stream", EVENTS).with(
                &[
                    "after",
                    "before",
                    "limit",
                    "as_of",
                    "as_of_time",
                    "at_least",
                    "wait",
                    "kind_prefix",
                    "format",
                    "Last-Event-ID",
                ],
            ),
            operation(
                "HEAD",
                "headStream",
                "Get the version of a stream, in `ETag`",
                &[done("There is such a stream", &[])],
            )
            .with(&["at_least", "wait"]),
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
            .with(&["expected", "If-Match", "If-None-Match"])
            .of(&[
                (JSON, "NewEvents"),
                (LINES, "NewEvent"),
                (CLOUD_EVENT, "CloudEvent"),
                (CLOUD_BATCH, "CloudEvents"),
            ]),
            operation("DELETE", "deleteStream", "Delete a stream", POSITION).with(&[
                "tombstone",
                "expected",
                "If-Match",
                "If-None-Match",
            ]),
        ],
    },
    Route {
        path: "/v1/streams/{stream}/events/{version}",
        handler: || get(single::by_version),
        operations: &[operation("GET", "getStreamEvent", "Get an event of a stream", EVENT)
            .with(&["at_least", "wait", "format"])],
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
        .with(&["expected", "If-Match"])
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
            .with(&["up_to"]),
            operation(
                "PUT",
                "saveSnapshot",
                "Save what the events of a stream amount to",
                &[Answer { status: 204, says: "It is saved", content: &[] }],
            )
            .of(&[(JSON, "Snapshot")]),
        ],
    },
    Route {
        path: "/v1/groups",
        handler: || get(groups::list),
        operations: &[operation(
            "GET",
            "listGroups",
            "List groups",
            &[done("The groups", &[(JSON, "Groups")])],
        )],
    },
    Route {
        path: "/v1/groups/{source}/{group}",
        handler: || get(groups::info).put(groups::put).delete(groups::remove),
        operations: &[
            operation(
                "GET",
                "getGroup",
                "Find out how a group does",
                &[done("How it does", &[(JSON, "GroupInfo")])],
            ),
            operation("PUT", "putGroup", "Make a group, or change how it is set", GROUP)
                .of(&[(JSON, "GroupSettings")]),
            operation("DELETE", "removeGroup", "Remove a group", GONE),
        ],
    },
    Route {
        path: "/v1/groups/{source}/{group}/take",
        handler: || post(groups::take),
        operations: &[operation(
            "POST",
            "takeEvents",
            "Take events for a consumer; waits for some",
            &[done("The events, with how often they were tried", &[(JSON, "Taken")])],
        )
        .with(&["consumer", "limit", "wait", "format"])],
    },
    Route {
        path: "/v1/groups/{source}/{group}/ack",
        handler: || post(groups::ack),
        operations: &[operation("POST", "ackEvents", "Say that events are done", NOT_HELD)
            .of(&[(JSON, "Ack")])],
    },
    Route {
        path: "/v1/groups/{source}/{group}/nack",
        handler: || post(groups::nack),
        operations: &[operation("POST", "nackEvents", "Say that events are not done", NOT_HELD)
            .of(&[(JSON, "Nack")])],
    },
    Route {
        path: "/v1/groups/{source}/{group}/parked",
        handler: || get(groups::parked),
        operations: &[operation(
            "GET",
            "listParked",
            "List the events that a group has parked",
            &[done("The events", &[(JSON, "ParkedEvents")])],
        )
        .with(&["after", "limit"])],
    },
    Route {
        path: "/v1/groups/{source}/{group}/replay",
        handler: || post(groups::replay),
        operations: &[operation(
            "POST",
            "replayParked",
            "Hand out parked events again",
            &[done("How many", &[(JSON, "Replayed")])],
        )
        .of(&[(JSON, "Replay")])],
    },
    Route {
        path: "/v1/groups/{source}/{group}/skip",
        handler: || post(groups::skip),
        operations: &[
            operation("POST", "skipEvent", "Leave out an event", GONE).of(&[(JSON, "Skip")])
        ],
    },
    Route {
        path: "/v1/read-models",
        handler: || get(read_models::list),
        operations: &[operation(
            "GET",
            "listReadModels",
            "List read models, and how far they are",
            &[done("The read models", &[(JSON, "ReadModels")])],
        )],
    },
    Route {
        path: "/v1/read-models/{model}",
        handler: || get(read_models::status).put(read_models::apply).delete(read_models::remove),
        operations: &[
            operation(
                "GET",
                "getReadModel",
                "Find out how far a read model is",
                &[done("How far it is", &[(JSON, "ReadModel")])],
            ),
            operation(
                "PUT",
                "declareReadModel",
                "Declare a read model, which is then built",
                &[
                    Answer { status: 201, says: "It is declared", content: &[] },
                    Answer { status: 204, says: "It was declared before", content: &[] },
                ],
            )
            .of(&[("application/yaml", "")]),
            operation("DELETE", "removeReadModel", "Remove a read model", ASKED),
        ],
    },
    Route {
        path: "/v1/read-models/{model}/queries/{query}",
        handler: || get(read_models::named),
        operations: &[operation(
            "GET",
            "queryReadModel",
            "Ask a read model; other parameters are those of the query",
            ROWS,
        )
        .with(&["at_least", "wait"])],
    },
    Route {
        path: "/v1/read-models/{model}/sql",
        handler: || post(read_models::sql),
        operations: &[operation("POST", "queryReadModelBySql", "Ask a read model by SQL", ROWS)
            .with(&["at_least", "wait"])
            .of(&[(JSON, "Sql")])],
    },
    Route {
        path: "/v1/read-models/{model}/parked",
        handler: || get(read_models::parked),
        operations: &[operation(
            "GET",
            "listParkedOfReadModel",
            "List the events that a read model could not take in, and those behind them",
            &[done("The events", &[(JSON, "ParkedOfReadModel")])],
        )
        .with(&["limit"])],
    },
    Route {
        path: "/v1/read-models/{model}/retry",
        handler: || post(read_models::retry),
        operations: &[operation("POST", "retryParked", "Try parked events again", ASKED)
            .of(&[(JSON, "RetryParked")])],
    },
    Route {
        path: "/v1/read-models/{model}/skip",
        handler: || post(read_models::skip),
        operations: &[operation("POST", "skipParked", "Leave out a parked event", ASKED)
            .of(&[(JSON, "SkipParked")])],
    },
    Route {
        path: "/v1/read-models/{model}/rebuild",
        handler: || post(read_models::rebuild),
        operations: &[operation(
            "POST",
            "rebuildReadModel",
            "Build a read model once more, beside the one that is there",
            ASKED,
        )],
    },
    Route {
        path: "/v1/head",
        handler: || get(whole::head),
        operations: &[operation("GET", "getHead", "Get the position of the last event", POSITION)
            .with(&["at_least", "wait"])],
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
        .with(&["at"])],
    },
    Route {
        path: "/v1/openapi.json",
        handler: || get(openapi::serve),
        operations: &[operation(
            "GET",
            "getDescription",
            "Get this description",
            &[Answer { status: 200, says: "This description", content: &[] }],
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
            &[Answer { status: 200, says: "It can", content: &[] }],
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
            &[Answer { status: 200, says: "Figures", content: &[("text/plain", "")] }],
        )],
    },
];
