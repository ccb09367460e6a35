//! What a route is: what is answered there, and what the description says of that.

use crate::{api::Shared, form::JSON};
use axum::routing::MethodRouter;
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
    /// Names of parameters besides those of the path, as they belong together.
    pub(crate) parameters: &'static [&'static [&'static str]],
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
pub(super) const fn operation(
    method: &'static str,
    id: &'static str,
    summary: &'static str,
    answers: &'static [Answer],
) -> Operation {
    Operation { method, id, summary, who: Who::Known, parameters: &[], body: &[], answers }
}

impl Operation {
    /// Names parameters besides those of the path.
    pub(super) const fn with(self, parameters: &'static [&'static [&'static str]]) -> Self {
        Self { parameters, ..self }
    }

    /// Says what bodies may be.
    pub(super) const fn of(self, body: &'static [Content]) -> Self {
        Self { body, ..self }
    }

    /// Needs no token.
    pub(super) const fn for_anybody(self) -> Self {
        Self { who: Who::Anybody, ..self }
    }
}

/// What is answered with 200.
pub(super) const fn done(says: &'static str, content: &'static [Content]) -> Answer {
    Answer { status: 200, says, content }
}

/// Parameters of what reads a part of many events.
pub(super) const PART: &[&str] = &["after", "before", "limit", "as_of", "as_of_time"];
/// Parameters of what waits for a position.
pub(super) const WAITING: &[&str] = &["at_least", "wait"];
/// Parameters of what reads events of many streams.
pub(super) const CHOICE: &[&str] = &["stream_prefix", "kind_prefix", "system"];
/// Parameters of what gives events in many forms.
pub(super) const FORM: &[&str] = &["format", "Last-Event-ID"];
/// Parameters of what expects something of a stream.
pub(super) const EXPECTING: &[&str] = &["expected", "If-Match", "If-None-Match"];

/// A position is answered.
pub(super) const POSITION: &[Answer] = &[done("The position", &[(JSON, "Position")])];
