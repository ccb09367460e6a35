//! The shapes of what is about groups.

use super::schemas::{list, number};
use serde_json::{Map, Value, json};

pub(super) fn groups() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "GroupSettings": settings(),
        "Group": {
            "type": "object",
            "required": ["source", "group", "settings"],
            "properties": {
                "source": text, "group": text,
                "settings": { "$ref": "#/components/schemas/GroupSettings" },
            },
        },
        "Groups": {
            "type": "object",
            "required": ["groups"],
            "properties": { "groups": list("Group") },
        },
        "GroupInfo": {
            "type": "object",
            "required": ["source", "group", "settings", "checkpoint", "lag", "parked"],
            "properties": {
                "source": text, "group": text,
                "settings": { "$ref": "#/components/schemas/GroupSettings" },
                "checkpoint": { "$ref": "#/components/schemas/Mark" },
                "taken": { "$ref": "#/components/schemas/Mark" },
                "lag": number(), "lag_is_exact": { "type": "boolean" },
                "oldest_ms": { "type": ["integer", "null"] },
                "unfinished": number(), "parked": number(),
                "live": { "type": ["object", "null"] },
            },
        },
        "Mark": {
            "type": "object",
            "properties": { "position": number(), "version": number() },
        },
    })
}

pub(super) fn consuming() -> Value {
    let text = json!({ "type": "string" });
    let positions = json!({ "type": "array", "items": number() });
    json!({
        "Taken": {
            "type": "object",
            "required": ["events"],
            "properties": { "events": { "type": "array", "items": {
                "type": "object",
                "required": ["attempt", "event"],
                "properties": {
                    "attempt": number(), "event": { "$ref": "#/components/schemas/Event" },
                },
            } } },
        },
        "Ack": {
            "type": "object",
            "required": ["consumer", "events"],
            "additionalProperties": false,
            "properties": { "consumer": text, "events": positions },
        },
        "Nack": {
            "type": "object",
            "required": ["consumer", "events"],
            "additionalProperties": false,
            "properties": {
                "consumer": text, "events": positions, "reason": text,
                "action": {
                    "type": "string",
                    "enum": ["retry", "park", "skip", "stop"],
                    "default": "retry",
                },
            },
        },
        "NotHeld": { "type": "object", "properties": { "not_held": positions } },
        "ParkedEvents": {
            "type": "object",
            "properties": { "events": { "type": "array", "items": {
                "type": "object",
                "properties": {
                    "position": number(), "stream": text, "version": number(),
                    "id": text, "attempts": number(), "reason": text,
                    "at": { "type": "string", "format": "date-time" },
                },
            } } },
        },
        "Replay": {
            "type": "object",
            "additionalProperties": false,
            "properties": { "events": positions, "limit": number() },
        },
        "Replayed": { "type": "object", "properties": { "replayed": number() } },
        "Skip": {
            "type": "object",
            "required": ["event"],
            "additionalProperties": false,
            "properties": { "event": number(), "reason": text },
        },
    })
}

/// How a group is set.
fn settings() -> Value {
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let start = json!({ "oneOf": [
        { "enum": ["beginning", "end"] },
        one("after_position", &number()),
        one("after_version", &number()),
    ] });
    let order_by = json!({ "oneOf": [
        { "enum": ["nothing", "stream", "correlation"] },
        one("field", &json!({ "type": "string" })),
    ] });
    let strategies = ["round_robin", "dispatch_to_single", "pinned", "pinned_by_correlation"];
    let numbers = |names: &[&str]| {
        let members = names.iter().map(|name| ((*name).to_owned(), number()));
        json!({ "type": "object", "properties": members.collect::<Map<_, _>>(),
            "additionalProperties": false })
    };
    json!({
        "type": "object",
        "description": "How a group hands out its events; what is left out has its default",
        "additionalProperties": false,
        "properties": {
            "filter": { "type": "object", "properties": {
                "categories": texts, "streams": texts, "kinds": texts,
                "system": { "enum": ["left", "included"] },
            } },
            "start": start, "order_by": order_by,
            "after_park": { "enum": ["key_goes_on", "key_waits"] },
            "strategy": { "enum": strategies },
            "ack_timeout_ms": number(), "retries_max": number(),
            "backoff": numbers(&["initial_ms", "factor", "max_ms"]),
            "in_flight_max": number(), "consumer_in_flight_max": number(),
            "consumers_max": number(), "buffer": number(),
            "save": numbers(&["after_ms", "min", "max"]),
            "notes": { "type": "object", "additionalProperties": { "type": "string" } },
        },
    })
}

/// An object with one member.
fn one(name: &str, schema: &Value) -> Value {
    json!({ "type": "object", "required": [name], "properties": { name: schema } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_events::Settings;

    #[test]
    fn every_setting_of_a_group_is_described() {
        let notes = [("a".to_owned(), "b".to_owned())].into();
        let real = serde_json::to_value(Settings { notes, ..Settings::default() }).unwrap();
        let names = |value: &Value| {
            let names = value.as_object().unwrap().keys().cloned();
            names.collect::<std::collections::BTreeSet<_>>()
        };
        let described = settings();
        assert_eq!(names(&real), names(&described["properties"]));
        for inner in ["filter", "backoff", "save"] {
            let inside = &described["properties"][inner]["properties"];
            assert_eq!(names(&real[inner]), names(inside), "{inner}");
        }
    }
}
