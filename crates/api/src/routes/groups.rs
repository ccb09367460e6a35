//! Groups of consumers.

use super::route::{Answer, Route, done, operation};
use crate::{form::JSON, groups};
use axum::routing::{get, post};

const GONE: &[Answer] = &[Answer { status: 204, says: "It is done", content: &[] }];
const GROUP: &[Answer] = &[
    Answer { status: 201, says: "The group is made", content: &[(JSON, "Group")] },
    done("The group is changed", &[(JSON, "Group")]),
];
const NOT_HELD: &[Answer] =
    &[done("Which of the events the consumer did not have", &[(JSON, "NotHeld")])];

/// Its routes.
pub(super) const ROUTES: &[Route] = &[
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
        .with(&[&["consumer", "limit", "wait", "format"]])],
    },
    Route {
        path: "/v1/groups/{source}/{group}/ack",
        handler: || post(groups::ack),
        operations: &[operation("POST", "ackEvents", "Say that events are done", NOT_HELD)
            .of(&[(JSON, "Ack")])],
    },
    Route {
        path: "/v1/groups/{source}/{group}/extend",
        handler: || post(groups::extend),
        operations: &[operation(
            "POST",
            "extendEvents",
            "Say that a consumer is still at work with events, which it then has for as long again",
            NOT_HELD,
        )
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
        .with(&[&["after", "limit"]])],
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
];
