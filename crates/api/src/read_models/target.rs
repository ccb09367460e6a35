//! Which read model a request is about.

use crate::{
    access::Right,
    call::Call,
    problem::{Problem, ProblemKind},
};
use fairway_ledger::StreamName;
use fairway_model::ReadModelName;
use fairway_read_models::ReadModels;

/// Begins the names of the streams that hold the facts about read models: rights to read models are
/// rights to these.
const STREAMS: &str = "$read-model-";

impl Call {
    /// The read models, if this server has some.
    pub(super) fn read_models(&self) -> Result<&ReadModels, Problem> {
        let missing = || Problem::new(ProblemKind::Missing, "this server has no read models");
        self.api.read_models.as_ref().ok_or_else(missing)
    }

    /// The read model that the path names, if the caller has a right to it.
    pub(super) fn read_model(&self, right: Right) -> Result<ReadModelName, Problem> {
        let name: ReadModelName =
            self.segment("model").parse().map_err(|error| Problem::request(format!("{error}")))?;
        if self.may_model(right, &name) {
            return Ok(name);
        }
        let detail = format!("the token may not {} read model `{name}`", right.verb());
        Err(Problem::new(ProblemKind::Forbidden, detail))
    }

    /// Whether the caller has a right to a read model: to its stream, or to all streams.
    pub(crate) fn may_model(&self, right: Right, name: &ReadModelName) -> bool {
        let stream = format!("{STREAMS}{name}").parse::<StreamName>();
        let is_granted = stream.is_ok_and(|stream| self.access.may(right, &stream));
        is_granted || self.access.may_all(right)
    }
}
