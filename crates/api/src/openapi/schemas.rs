//! The shapes of what is sent and answered.

use super::group_schemas::{consuming, groups};
use serde_json::{Value, json};

/// All shapes.
pub(super) fn schemas() -> Value {
    let mut all = events();
    for more in [streams(), groups(), consuming(), read_models(), cloud_events(), problem()] {
        let (Value::Object(all), Value::Object(more)) = (&mut all, more) else { continue };
        all.extend(more);
    }
    all
}

pub(super) fn number() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

pub(super) fn list(name: &str) -> Value {
    json!({ "type": "array", "items": { "$ref": format!("#/components/schemas/{name}") } })
}

fn events() -> Value {
    json!({
        "NewEvent": {
            "type": "object",
            "required": ["kind"],
            "additionalProperties": false,
            "properties": {
                "id": { "type": "string", "format": "uuid", "description":
                    "What makes a second append of the event do nothing" },
                "kind": { "type": "string", "minLength": 1, "maxLength": 128 },
                "data": { "description": "Any JSON; kept as it was written" },
                "data_base64": { "type": "string", "contentEncoding": "base64" },
                "metadata": { "type": "object" },
            },
        },
        "NewEvents": { "oneOf": [{ "$ref": "#/components/schemas/NewEvent" }, list("NewEvent")] },
        "Append": {
            "type": "object",
            "required": ["stream"],
            "additionalProperties": false,
            "properties": {
                "stream": { "type": "string" },
                "expected": { "$ref": "#/components/schemas/Expected" },
                "events": list("NewEvent"),
            },
        },
        "Appends": list("Append"),
        "Expected": { "oneOf": [
            { "type": "string", "enum": ["any", "none", "exists"] },
            number(),
        ] },
        "Appended": {
            "type": "object",
            "required": ["stream", "position", "version"],
            "properties": {
                "stream": { "type": "string" }, "position": number(), "version": number(),
            },
        },
        "AppendedAll": list("Appended"),
        "Event": {
            "type": "object",
            "required": ["position", "stream", "version", "id", "kind", "recorded"],
            "properties": {
                "position": number(),
                "stream": { "type": "string" },
                "version": number(),
                "id": { "type": "string", "format": "uuid" },
                "kind": { "type": "string" },
                "recorded": { "type": "string", "format": "date-time" },
                "data": { "description": "Any JSON" },
                "data_base64": { "type": "string", "contentEncoding": "base64", "description":
                    "In place of `data`, when they are not JSON" },
                "metadata": { "description": "Any JSON, mostly an object" },
                "metadata_base64": { "type": "string", "contentEncoding": "base64" },
            },
        },
        "Page": {
            "type": "object",
            "required": ["events", "end"],
            "properties": {
                "events": list("Event"),
                "end": { "type": "boolean", "description": "Whether there is nothing more now" },
                "next": { "type": "string", "format": "uri-reference" },
            },
        },
    })
}

fn streams() -> Value {
    json!({
        "Stream": {
            "type": "object",
            "required": ["stream", "version", "truncated", "standing"],
            "properties": {
                "stream": { "type": "string" },
                "version": number(),
                "truncated": number(),
                "standing": { "type": "string", "enum": ["live", "deleted", "tombstoned"] },
            },
        },
        "Streams": {
            "type": "object",
            "required": ["streams", "end"],
            "properties": {
                "streams": list("Stream"),
                "end": { "type": "boolean" },
                "next": { "type": "string", "format": "uri-reference" },
            },
        },
        "Truncation": {
            "type": "object",
            "required": ["up_to"],
            "additionalProperties": false,
            "properties": { "up_to": number() },
        },
        "Snapshot": {
            "type": "object",
            "required": ["version", "kind"],
            "properties": {
                "version": number(),
                "kind": { "type": "string", "minLength": 1, "maxLength": 128 },
                "recorded": { "type": "string", "format": "date-time", "readOnly": true },
                "data": { "description": "Any JSON" },
                "data_base64": { "type": "string", "contentEncoding": "base64" },
            },
        },
        "Position": {
            "type": "object",
            "required": ["position"],
            "properties": { "position": number() },
        },
    })
}

fn read_models() -> Value {
    let text = json!({ "type": "string" });
    let build = json!({ "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Build" }] });
    json!({
        "ReadModel": {
            "type": "object",
            "required": ["read_model", "head", "live", "candidate"],
            "properties": {
                "read_model": text, "head": number(), "live": build, "candidate": build,
            },
        },
        "ReadModels": {
            "type": "object",
            "required": ["read_models"],
            "properties": { "read_models": list("ReadModel") },
        },
        "Build": {
            "type": "object",
            "required": ["version", "position", "parked", "lag"],
            "properties": {
                "version": number(), "position": number(), "parked": number(), "lag": number(),
                "state": { "enum": ["catching_up", "following", "failing", "withheld", null] },
                "reason": { "type": ["string", "null"] },
            },
        },
        "Rows": {
            "type": "object",
            "required": ["position", "version", "rows", "cut"],
            "properties": {
                "position": number(), "version": number(),
                "rows": { "type": "array", "items": { "type": "object" } },
                "cut": { "type": "boolean", "description": "Whether there were more rows" },
            },
        },
        "Sql": {
            "type": "object",
            "required": ["sql"],
            "additionalProperties": false,
            "properties": { "sql": text, "parameters": { "type": "object" } },
        },
        "ParkedOfReadModel": {
            "type": "object",
            "properties": { "events": { "type": "array", "items": {
                "type": "object",
                "properties": {
                    "position": number(), "event_id": text, "stream": text, "kind": text,
                    "key": text, "tries": number(), "error": { "type": ["string", "null"] },
                },
            } } },
        },
        "RetryParked": {
            "type": "object",
            "additionalProperties": false,
            "properties": { "key": { "type": ["string", "null"] } },
        },
        "SkipParked": {
            "type": "object",
            "required": ["event"],
            "additionalProperties": false,
            "properties": { "event": number() },
        },
    })
}

fn cloud_events() -> Value {
    let text = json!({ "type": "string", "minLength": 1 });
    json!({
        "CloudEvent": {
            "type": "object",
            "description": "CloudEvents 1.0 in JSON; extensions are members beside these",
            "required": ["specversion", "id", "source", "type"],
            "properties": {
                "specversion": { "const": "1.0" },
                "id": text, "source": text, "type": text, "subject": text,
                "time": { "type": "string", "format": "date-time" },
                "datacontenttype": text, "dataschema": text,
                "data": {},
                "data_base64": { "type": "string", "contentEncoding": "base64" },
            },
        },
        "CloudEvents": list("CloudEvent"),
    })
}

fn problem() -> Value {
    json!({
        "Problem": {
            "type": "object",
            "description": "RFC 9457",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": { "type": "string", "format": "uri" },
                "title": { "type": "string" },
                "status": { "type": "integer" },
                "detail": { "type": "string" },
                "stream": { "type": "string", "description": "Of a conflict" },
                "version": number(),
            },
        },
    })
}
