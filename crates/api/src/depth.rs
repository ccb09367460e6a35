//! How deeply JSON may be nested: what is taken in has to be read again by others, who have limits.

use fairway_ledger::{EventError, Json};

/// Most arrays and objects around a value.
pub const DEPTH_MAX: usize = 128;

/// Why a text is not taken in as JSON.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JsonError {
    /// It is none.
    #[error("{}", told(.0))]
    Json(#[from] EventError),
    /// It is nested too deeply.
    #[error("JSON is nested at most {DEPTH_MAX} deep")]
    TooDeep,
}

/// What is wrong with a text, down to its place.
fn told(error: &EventError) -> String {
    match error {
        EventError::Json(error) => error.to_string(),
        other @ EventError::Kind(_) => other.to_string(),
    }
}

/// Takes in a text as JSON, kept as it is.
pub(crate) fn json(text: &str) -> Result<Json, JsonError> {
    if depth(text) > DEPTH_MAX {
        return Err(JsonError::TooDeep);
    }
    Ok(Json::parse(text.to_owned())?)
}

/// How deeply a text is nested, if it is JSON.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut is_string, mut is_escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_string,
            b'"' => is_string = !is_string,
            _ if is_string => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn brackets_in_strings_do_not_count() {
        assert_eq!(depth(r#"{"a[{":["\"[","\\",{}]}"#), 3);
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(json(&nested(DEPTH_MAX)).is_ok());
        assert!(matches!(json(&nested(DEPTH_MAX + 1)), Err(JsonError::TooDeep)));
    }

    proptest! {
        #[test]
        fn what_is_taken_in_is_read_again(text in "[\\[\\]{}:,\"0-9a \\\\]{0,60}") {
            let again = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            prop_assert_eq!(json(&text).is_ok(), again);
        }
    }
}
