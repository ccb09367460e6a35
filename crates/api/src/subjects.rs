//! Subjects: people whose personal data events have, and who can be forgotten.

use crate::{
    access::Right,
    answer,
    call::Call,
    problem::{Problem, ProblemKind},
};
use axum::response::Response;
use fairway_subjects::{ForgetError, KeptError, SUBJECT_MAX, SubjectError};
use http::StatusCode;

/// `DELETE /v1/subjects/{subject}`: what is personal of a subject is in any stream, so that only those
/// may who may manage all.
pub(crate) async fn forget(mut call: Call) -> Result<Response, Problem> {
    std::mem::take(&mut call.params).end()?;
    if !call.access.may_all(Right::Manage) {
        let detail = "to forget a subject needs the right to manage all streams";
        return Err(Problem::new(ProblemKind::Forbidden, detail));
    }
    let subject = call.segment("subject");
    if subject.is_empty() || subject.len() > SUBJECT_MAX {
        return Err(Problem::request(format!("a subject has 1 to {SUBJECT_MAX} bytes")));
    }
    let missing = |detail: String| Problem::new(ProblemKind::Missing, detail);
    let subjects = call.api.subjects.as_ref();
    let subjects =
        subjects.ok_or_else(|| missing("this server keeps no keys of subjects".into()))?;
    if fairway_subjects::forget(&call.api.ledger, subjects, subject).await? {
        return Ok(answer::empty(StatusCode::NO_CONTENT));
    }
    Err(missing(format!("there is no key of `{}`", subject.escape_debug())))
}

/// Where the keys are is for who runs the server.
impl From<ForgetError> for Problem {
    fn from(error: ForgetError) -> Self {
        match error {
            ForgetError::Kept(KeptError::Subject(error @ SubjectError::OtherKeys)) => {
                Self::of_fault(
                    "what is personal is sealed with keys that this server lacks",
                    &error,
                )
            }
            ForgetError::Kept(KeptError::Subject(error)) => {
                Self::of_fault("the keys cannot be used", &error)
            }
            ForgetError::Kept(KeptError::Ledger(error)) | ForgetError::Ledger(error) => {
                error.into()
            }
        }
    }
}
