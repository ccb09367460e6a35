//! Which problems an operation may answer: by what it takes and gives.

use crate::{
    problem::{PROBLEM, ProblemKind},
    routes::{Operation, Who},
};
use http::StatusCode;
use serde_json::{Map, Value, json};

/// All that may be answered, for [`components`].
const ALL: [ProblemKind; 19] = [
    ProblemKind::Request,
    ProblemKind::Token,
    ProblemKind::Forbidden,
    ProblemKind::Missing,
    ProblemKind::Method,
    ProblemKind::NotAcceptable,
    ProblemKind::Slow,
    ProblemKind::Conflict,
    ProblemKind::Tombstoned,
    ProblemKind::Precondition,
    ProblemKind::TooLarge,
    ProblemKind::MediaType,
    ProblemKind::Content,
    ProblemKind::Moved,
    ProblemKind::Fault,
    ProblemKind::Unavailable,
    ProblemKind::Busy,
    ProblemKind::Behind,
    ProblemKind::Full,
];

/// The problems that an operation may answer.
fn kinds(path: &str, operation: &Operation) -> Vec<ProblemKind> {
    let is_known = operation.who == Who::Known;
    let is_about = path.contains('{');
    let is_change = !matches!(operation.method, "GET" | "HEAD");
    let has_body = !operation.body.is_empty();
    let forms = operation.answers.iter().map(|answer| answer.content.len()).max();
    let is_expecting = operation.parameters.concat().contains(&"If-Match");
    let is_of_stream = path.contains("{stream}") || path == "/v1/append";
    // A server may have none.
    let is_of_read_models = path.starts_with("/v1/read-models");
    let is_question = path.ends_with("{query}");
    let groups: [(bool, &[ProblemKind]); 11] = [
        (true, &[ProblemKind::Fault, ProblemKind::Unavailable]),
        (is_known, &[ProblemKind::Request, ProblemKind::Token]),
        (is_about || is_change, &[ProblemKind::Forbidden]),
        (is_about || is_of_read_models, &[ProblemKind::Missing]),
        (forms.is_some_and(|forms| forms > 1), &[ProblemKind::NotAcceptable]),
        (
            has_body,
            &[
                ProblemKind::Slow,
                ProblemKind::Conflict,
                ProblemKind::TooLarge,
                ProblemKind::MediaType,
                ProblemKind::Content,
            ],
        ),
        (is_expecting, &[ProblemKind::Conflict, ProblemKind::Precondition]),
        (is_of_stream, &[ProblemKind::Tombstoned]),
        (is_question, &[ProblemKind::Content]),
        // What is about streams is not truncated or deleted itself.
        (is_of_stream && is_change, &[ProblemKind::Content]),
        (is_change, &[ProblemKind::Full, ProblemKind::Moved]),
    ];
    let found = groups.into_iter().filter(|(is_so, _)| *is_so).flat_map(|(_, kinds)| kinds);
    found.copied().collect()
}

/// The answers of problems of an operation.
pub(super) fn answers(path: &str, operation: &Operation) -> impl Iterator<Item = (String, Value)> {
    kinds(path, operation).into_iter().map(|kind| {
        let status = kind.facts().0;
        let reference = json!({ "$ref": format!("#/components/responses/{}", name(status)) });
        (status.as_u16().to_string(), reference)
    })
}

/// The answers that others refer to. Several problems may have one status.
pub(super) fn components() -> Value {
    let mut responses = Map::new();
    for kind in ALL {
        let (status, _, title) = kind.facts();
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        let content = json!({ PROBLEM: { "schema": schema } });
        let response =
            responses.entry(name(status)).or_insert_with(|| json!({ "content": content }));
        response["description"] = match response["description"].as_str() {
            Some(before) => format!("{before}; or: {title}"),
            None => title.to_owned(),
        }
        .into();
    }
    Value::Object(responses)
}

fn name(status: StatusCode) -> String {
    format!("Problem{}", status.as_u16())
}
