//! Names of consumers.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

/// Longest name of a consumer in bytes.
pub const CONSUMER_NAME_MAX: usize = 128;

/// Names a consumer of a group, such as `mailer@host-7`: 1 to [`CONSUMER_NAME_MAX`] bytes of text
/// without control characters. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConsumerName(Arc<str>);

/// A text names no consumer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` cannot name a consumer; use 1 to {CONSUMER_NAME_MAX} bytes of printable text", .0.escape_debug())]
pub struct ConsumerNameError(String);

impl ConsumerName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConsumerName {
    type Err = ConsumerNameError;
    fn from_str(text: &str) -> Result<Self, ConsumerNameError> {
        let is_plain = !text.is_empty() && !text.chars().any(char::is_control);
        if is_plain && text.len() <= CONSUMER_NAME_MAX {
            Ok(Self(text.into()))
        } else {
            Err(ConsumerNameError(text.chars().take(CONSUMER_NAME_MAX).collect()))
        }
    }
}

impl TryFrom<String> for ConsumerName {
    type Error = ConsumerNameError;
    fn try_from(text: String) -> Result<Self, ConsumerNameError> {
        text.parse()
    }
}

impl From<ConsumerName> for String {
    fn from(name: ConsumerName) -> String {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for ConsumerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_a_name_or_refused(text in "\\PC{0,200}|.{0,9}") {
            match text.parse::<ConsumerName>() {
                Ok(name) => prop_assert_eq!(String::from(name), text),
                Err(error) => prop_assert!(!error.to_string().contains('\n')),
            }
        }
    }
}
