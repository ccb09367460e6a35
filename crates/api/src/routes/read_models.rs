//! Read models.

use super::route::{Answer, Route, WAITING, done, operation};
use crate::{form::JSON, read_models};
use axum::routing::{get, post};

const ASKED: &[Answer] = &[Answer { status: 202, says: "It will be done", content: &[] }];
const ROWS: &[Answer] = &[done("The rows, and what they are true for", &[(JSON, "Rows")])];

/// Its routes.
pub(super) const ROUTES: &[Route] = &[
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
        .with(&[WAITING])],
    },
    Route {
        path: "/v1/read-models/{model}/sql",
        handler: || post(read_models::sql),
        operations: &[operation("POST", "queryReadModelBySql", "Ask a read model by SQL", ROWS)
            .with(&[WAITING])
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
        .with(&[&["limit"]])],
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
];
