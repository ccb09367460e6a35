//! The parameters of all routes.

use serde_json::{Value, json};

/// A parameter.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) place: &'static str,
    pub(super) kind: Kind,
    pub(super) says: &'static str,
}

/// What a parameter takes.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Number,
    Text,
    Texts,
    Truth,
    Moment,
    Expected,
}

impl Kind {
    pub(super) fn schema(self) -> Value {
        match self {
            Self::Number => json!({ "type": "integer", "minimum": 0 }),
            Self::Text => json!({ "type": "string" }),
            Self::Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Self::Truth => json!({ "type": "boolean", "default": false }),
            Self::Moment => json!({ "type": "string", "format": "date-time" }),
            Self::Expected => json!({ "$ref": "#/components/schemas/Expected" }),
        }
    }
}

const fn path(name: &'static str, kind: Kind, says: &'static str) -> Parameter {
    Parameter { name, place: "path", kind, says }
}

const fn query(name: &'static str, kind: Kind, says: &'static str) -> Parameter {
    Parameter { name, place: "query", kind, says }
}

const fn header(name: &'static str, says: &'static str) -> Parameter {
    Parameter { name, place: "header", kind: Kind::Text, says }
}

/// All parameters.
pub(super) const PARAMETERS: &[Parameter] = &[
    path("stream", Kind::Text, "The name of a stream; a `/` in it is written `%2F`"),
    path("category", Kind::Text, "The name of a category: what comes before the first `-`"),
    path("position", Kind::Number, "The position of an event"),
    path("version", Kind::Number, "The version of an event in its stream"),
    path(
        "source",
        Kind::Text,
        "What a group hands out: a stream, `$ce-` and a category, or `$all`",
    ),
    path("group", Kind::Text, "The name of a group"),
    path("subject", Kind::Text, "A subject, as the metadata of its events name it"),
    path("query", Kind::Text, "The name of a query of a read model"),
    path("model", Kind::Text, "The name of a read model"),
    query("after", Kind::Text, "Events after this version or position; live also `end`"),
    query("before", Kind::Text, "Events before it, the newest first; `end` for all"),
    query("limit", Kind::Number, "At most so many"),
    query("as_of", Kind::Number, "As the ledger was at this position"),
    query("as_of_time", Kind::Moment, "As the ledger was at this moment"),
    query("at_least", Kind::Number, "Waits until the ledger is at this position"),
    query("wait", Kind::Text, "For how long is waited, such as `2s`"),
    query("category", Kind::Texts, "Only events of these categories"),
    query("stream_prefix", Kind::Texts, "Only events of streams whose names start so"),
    query("kind_prefix", Kind::Texts, "Only events whose kinds start so"),
    query("system", Kind::Truth, "Streams of the ledger itself as well"),
    query("format", Kind::Text, "`plain`, `cloudevents`; of one event also `cloudevents-binary`"),
    query("expected", Kind::Expected, "What has to be true of the stream"),
    query("prefix", Kind::Text, "Only streams whose names start so"),
    query("tombstone", Kind::Truth, "Closes the stream for ever"),
    query("up_to", Kind::Number, "The newest up to this version"),
    query("consumer", Kind::Text, "The name of a consumer"),
    query("at", Kind::Moment, "A moment"),
    header("If-Match", "The version that the stream has to have, in quotes, or `*`"),
    header("If-None-Match", "`*`: the stream has to have no event"),
    header("Last-Event-ID", "The id of the last event that a live reader got"),
];
