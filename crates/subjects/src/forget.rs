//! Forgetting a subject, as a fact.

use crate::{
    error::SubjectError,
    kept::{self, KeptError},
    keys::Subjects,
};
use fairway_ledger::{AppendError, Expected, Ledger, NewEvent, StreamName};
use serde_json::json;

/// The stream that says who was forgotten.
pub const SUBJECTS_STREAM: &str = "$subjects";
/// The kind of its events; their data name the `subject`. Read models take it as the word to remove
/// what they have copied.
pub const FORGOTTEN_KIND: &str = "subject-forgotten";

/// Why a subject could not be forgotten. Trying again is safe.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// The key is still there, or is not here.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The key is gone, but the ledger does not say so yet.
    #[error("the subject is forgotten, but the ledger does not say so yet")]
    Ledger(#[source] AppendError),
}

impl From<SubjectError> for ForgetError {
    fn from(error: SubjectError) -> Self {
        Self::Kept(error.into())
    }
}

/// Removes the key of a subject for ever, and then says so in the ledger. False if there was no key.
/// Fails if the ledger's personal data are sealed with other keys.
pub async fn forget(
    ledger: &Ledger,
    subjects: &Subjects,
    subject: &str,
) -> Result<bool, ForgetError> {
    kept::assert_own(&**ledger.store(), subjects).await?;
    let is_removed = subjects.forget(subject).await?;
    let event = NewEvent::new(FORGOTTEN_KIND, &json!({ "subject": subject }));
    let event = event.expect("a text is JSON");
    let stream = StreamName::trusted(SUBJECTS_STREAM);
    let told = ledger.append(&stream, Expected::Any, vec![event]).await;
    told.map(|_| is_removed).map_err(ForgetError::Ledger)
}
