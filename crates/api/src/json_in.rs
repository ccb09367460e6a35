//! Taking in JSON, and what is said of a text that is not taken.

use fairway_ledger::{EventError, Json};

/// Why a text is not taken in as JSON.
#[derive(Debug, thiserror::Error)]
#[error("{}", told(.0))]
pub(crate) struct JsonError(#[from] EventError);

/// What is wrong with a text, down to its place.
fn told(error: &EventError) -> String {
    match error {
        EventError::Json(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// Takes in a text as JSON, kept as it is.
pub(crate) fn json(text: &str) -> Result<Json, JsonError> {
    Ok(Json::parse(text.to_owned())?)
}
