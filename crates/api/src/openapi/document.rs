//! The whole description.

use super::{parameters::PARAMETERS, problems, schemas::schemas};
use crate::{
    answer,
    form::JSON,
    routes::{Answer, Content, Operation, Who, routes},
};
use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The version of the interface.
const VERSION: &str = "1.0.0";

/// The shapes of answers that say up to where of the ledger they are true, or where events went.
const PLACED: [&str; 5] = ["Page", "Appended", "AppendedAll", "Position", "Rows"];

static TEXT: LazyLock<String> = LazyLock::new(|| openapi().to_string());

/// `GET /v1/openapi.json`. Needs no token.
pub(crate) async fn serve() -> Response {
    answer::typed(StatusCode::OK, JSON, TEXT.as_str())
}

/// The description of the service.
pub fn openapi() -> Value {
    let mut paths = Map::new();
    for route in routes() {
        let operations = route.operations.iter();
        let operations = operations.map(|operation| {
            (operation.method.to_ascii_lowercase(), described(route.path, operation))
        });
        paths.insert(route.path.to_owned(), Value::Object(operations.collect()));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Fairway events",
            "version": VERSION,
            "description": "A ledger of events over HTTP.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "token": [] }, {}],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "parameters": parameters(),
            "responses": problems::components(),
            "headers": {
                "Fairway-Position": {
                    "description": "Up to where of the ledger the answer is true, or where an append went",
                    "schema": { "type": "integer", "minimum": 0 },
                },
            },
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn described(path: &str, operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "responses": responses(path, operation),
    });
    let in_path = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let in_path = in_path.map(|name| key("path", name));
    let others = operation.parameters.iter().copied().flatten().map(|name| key("query", name));
    let references: Vec<Value> = in_path
        .chain(others)
        .map(|key| json!({ "$ref": format!("#/components/parameters/{key}") }))
        .collect();
    if !references.is_empty() {
        described["parameters"] = references.into();
    }
    if !operation.body.is_empty() {
        described["requestBody"] = json!({ "required": true, "content": content(operation.body) });
    }
    if operation.who == Who::Anybody {
        described["security"] = json!([]);
    }
    described
}

fn responses(path: &str, operation: &Operation) -> Value {
    let mut responses: Map<String, Value> = problems::answers(path, operation).collect();
    for Answer { status, says, content: given } in operation.answers {
        let mut response = json!({ "description": says });
        if !given.is_empty() {
            response["content"] = content(given);
        }
        if given.iter().any(|(_, schema)| PLACED.contains(schema)) {
            let header = json!({ "$ref": "#/components/headers/Fairway-Position" });
            response["headers"] = json!({ "Fairway-Position": header });
        }
        responses.insert(status.to_string(), response);
    }
    Value::Object(responses)
}

fn content(content: &[Content]) -> Value {
    let media = content.iter().map(|(media, schema)| {
        let schema = match *schema {
            "" if *media == JSON => json!({ "type": "object" }),
            "" => json!({ "type": "string" }),
            name => json!({ "$ref": format!("#/components/schemas/{name}") }),
        };
        ((*media).to_owned(), json!({ "schema": schema }))
    });
    Value::Object(media.collect())
}

fn parameters() -> Value {
    let all = PARAMETERS.iter().map(|parameter| {
        let described = json!({
            "name": parameter.name,
            "in": parameter.place,
            "required": parameter.place == "path",
            "description": parameter.says,
            "schema": parameter.kind.schema(),
        });
        (key(parameter.place, parameter.name), described)
    });
    Value::Object(all.collect())
}

/// The name of a parameter among the components.
fn key(place: &str, name: &str) -> String {
    let name = name.to_ascii_lowercase().replace('-', "_");
    if place == "path" { format!("in_path_{name}") } else { name }
}
