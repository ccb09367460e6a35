//! Names of streams, parsed once.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

/// Longest name of a stream in bytes, without [`METADATA_PREFIX`].
pub const STREAM_NAME_MAX: usize = 255;
/// Begins the name of the stream that holds what is about another stream.
pub const METADATA_PREFIX: &str = "$$";

/// Names a stream: a category, `-` and an id, such as `run-17`; or a category alone. Letters,
/// digits and `-_.:@/` of ASCII; starts with a letter or digit; no empty, `.` or `..` part between
/// slashes. A `$` in front is for streams of the ledger itself, `$$` for the metadata of the stream
/// that is named after it. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamName(Arc<str>);

/// Why a text names no stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamNameError {
    /// Empty.
    #[error("the name of a stream cannot be empty")]
    Empty,
    /// Longer than [`STREAM_NAME_MAX`].
    #[error("the name of a stream has at most {STREAM_NAME_MAX} bytes")]
    TooLong,
    /// A character that is not allowed, or not there.
    #[error("`{}` is not allowed there in the name of a stream", .0.escape_debug())]
    Character(char),
    /// An empty, `.` or `..` part between slashes.
    #[error("the name of a stream cannot have an empty, `.` or `..` part")]
    Part,
}

impl StreamName {
    /// Names the stream of one thing of a category; `id` may be anything that prints.
    pub fn of(category: &str, id: impl fmt::Display) -> Result<Self, StreamNameError> {
        format!("{category}-{id}").try_into()
    }

    /// The text before the first `-`.
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(category, _)| category)
    }

    /// The text after the first `-`, if there is one.
    pub fn id(&self) -> Option<&str> {
        self.0.split_once('-').map(|(_, id)| id)
    }

    /// Whether the ledger itself writes the stream, or it holds metadata.
    pub fn is_system(&self) -> bool {
        self.0.starts_with('$')
    }

    /// Whether the ledger alone writes the stream: it is one of its own, or about one.
    pub fn is_own(&self) -> bool {
        self.is_about().as_ref().unwrap_or(self).is_system()
    }

    /// The stream that holds what is about this one; none if this one is such a stream.
    pub fn metadata_stream(&self) -> Option<StreamName> {
        let is_metadata = self.0.starts_with(METADATA_PREFIX);
        (!is_metadata).then(|| Self(format!("{METADATA_PREFIX}{}", self.0).into()))
    }

    /// The stream that this one is about, if it is a stream of metadata.
    pub fn is_about(&self) -> Option<StreamName> {
        self.0.strip_prefix(METADATA_PREFIX).map(|name| Self(name.into()))
    }

    /// What a ledger holds was checked when it was appended.
    pub fn trusted(name: &str) -> Self {
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(text: &str) -> Result<(), StreamNameError> {
    let text = text.strip_prefix(METADATA_PREFIX).unwrap_or(text);
    if text.len() > STREAM_NAME_MAX {
        return Err(StreamNameError::TooLong);
    }
    let text = text.strip_prefix('$').unwrap_or(text);
    let first = text.chars().next().ok_or(StreamNameError::Empty)?;
    if !first.is_ascii_alphanumeric() {
        return Err(StreamNameError::Character(first));
    }
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.:@/".contains(c);
    if let Some(character) = text.chars().find(|&c| !is_allowed(c)) {
        return Err(StreamNameError::Character(character));
    }
    let is_bad = |part: &str| matches!(part, "" | "." | "..");
    if text.split('/').any(is_bad) { Err(StreamNameError::Part) } else { Ok(()) }
}

impl TryFrom<String> for StreamName {
    type Error = StreamNameError;
    fn try_from(text: String) -> Result<Self, StreamNameError> {
        text.parse()
    }
}

impl FromStr for StreamName {
    type Err = StreamNameError;
    fn from_str(text: &str) -> Result<Self, StreamNameError> {
        check(text)?;
        Ok(Self(text.into()))
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> String {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_has_a_category_and_an_id() {
        let name: StreamName = "release-orders@7".parse().unwrap();
        assert_eq!((name.category(), name.id()), ("release", Some("orders@7")));
        assert_eq!(StreamName::of("run", 17).unwrap().as_str(), "run-17");
        assert_eq!("fleet".parse::<StreamName>().unwrap().id(), None);
    }

    #[test]
    fn a_stream_has_one_of_metadata() {
        let name: StreamName = "$group-7".parse().unwrap();
        let about = name.metadata_stream().unwrap();
        assert_eq!(about.as_str(), "$$$group-7");
        assert_eq!((about.is_about(), about.metadata_stream()), (Some(name), None));
        assert_eq!(about.as_str().parse(), Ok(about));
    }

    #[test]
    fn tricks_are_refused() {
        let long = "a".repeat(STREAM_NAME_MAX + 1);
        let bad = [
            "", "$", "$$", "$$$$a", "$-a", "a$", "-a", "a b", "a\0", "a\n", "ä", "a//b", "a/",
            "a/../b", "../a", &long,
        ];
        for bad in bad {
            assert!(bad.parse::<StreamName>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_plain_name_or_refused(text in "\\PC{0,300}|[a-z$./-]{0,20}") {
            if let Ok(name) = text.parse::<StreamName>() {
                prop_assert_eq!(name.as_str(), &text);
                prop_assert!(text.is_ascii() && text.len() <= STREAM_NAME_MAX + 2);
                prop_assert!(text.split('/').all(|part| !part.is_empty() && part != ".."));
                let again: String = name.into();
                prop_assert_eq!(again, text);
            }
        }
    }
}
