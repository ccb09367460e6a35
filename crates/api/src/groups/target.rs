//! Which group a request is about.

use crate::{
    access::Right,
    call::Call,
    problem::{Problem, ProblemKind},
};
use fairway_events::{GroupId, Source};

impl Call {
    /// The group that the path names, if the caller has a right to all that it hands out.
    pub(crate) fn group(&self, right: Right) -> Result<GroupId, Problem> {
        let id = GroupId::parse(self.segment("source"), self.segment("group"))?;
        if self.may_use(right, id.source()) {
            return Ok(id);
        }
        let detail = format!("the token may not {} all that `{}` has", right.verb(), id.source());
        Err(Problem::new(ProblemKind::Forbidden, detail))
    }

    /// Whether the caller may know of groups of a source.
    pub(crate) fn may_see(&self, source: &Source) -> bool {
        [Right::Read, Right::Manage].into_iter().any(|right| self.may_use(right, source))
    }

    /// Whether the caller has a right to all streams of a source.
    fn may_use(&self, right: Right, source: &Source) -> bool {
        match source {
            Source::All => self.access.may_all(right),
            Source::Category(category) => self.access.may_category(right, category.as_str()),
            Source::Stream(stream) => self.access.may(right, stream),
        }
    }
}

impl From<fairway_events::GroupIdError> for Problem {
    fn from(error: fairway_events::GroupIdError) -> Self {
        Self::request(error.to_string())
    }
}
