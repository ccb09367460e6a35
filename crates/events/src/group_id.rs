//! Which group is meant: where its events come from, and its name there.

use fairway_ledger::{StreamName, StreamNameError};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

/// Longest name of a group in bytes.
pub const GROUP_NAME_MAX: usize = 64;
/// The category of the streams that hold the facts of groups.
pub const GROUP_CATEGORY: &str = "$group";
/// Stands for all events where a stream is named.
const ALL: &str = "$all";
/// Stands before a category where a stream is named.
const CATEGORY: &str = "$ce-";

/// Names a group among those of its source: 1 to [`GROUP_NAME_MAX`] letters, digits and `-_.@` of
/// ASCII; starts with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(Arc<str>);

/// Names a category of streams: what their names have before the first `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Category(StreamName);

/// Where the events of a group come from. As text: `$all`, `$ce-` and a category, or a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Source {
    /// All events, but for those about groups.
    All,
    /// The streams of a category.
    Category(Category),
    /// One stream.
    Stream(StreamName),
}

/// Identifies a group of a ledger. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId {
    source: Source,
    name: GroupName,
    stream: StreamName,
}

/// Why something names no group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupIdError {
    /// The name of the group is not one.
    #[error("`{}` cannot name a group; use 1 to {GROUP_NAME_MAX} letters, digits and `-_.@`", .0.escape_debug())]
    Name(String),
    /// The name of the category is not one.
    #[error("`{}` cannot be a category", .0.escape_debug())]
    Category(String),
    /// The source names no stream.
    #[error("`{}` cannot be the source of a group", .text.escape_debug())]
    Source {
        /// What was given.
        text: String,
        /// Why.
        source: StreamNameError,
    },
    /// Facts about groups cannot be handed out by a group, which would record facts about that.
    #[error("`{0}` holds facts about groups, so it cannot be the source of one")]
    OfGroups(String),
    /// The names of source and group are too long together.
    #[error("the names of group `{name}` and its source are too long together")]
    TooLong {
        /// The name of the group.
        name: GroupName,
    },
}

impl GroupName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupName {
    type Err = GroupIdError;
    fn from_str(text: &str) -> Result<Self, GroupIdError> {
        // What can be the plain name of a stream can be the end of one.
        let is_plain = text.len() <= GROUP_NAME_MAX && !text.contains([':', '$', '/']);
        if is_plain && text.parse::<StreamName>().is_ok() {
            return Ok(Self(text.into()));
        }
        Err(GroupIdError::Name(text.chars().take(GROUP_NAME_MAX).collect()))
    }
}

impl FromStr for Category {
    type Err = GroupIdError;
    fn from_str(text: &str) -> Result<Self, GroupIdError> {
        match text.parse::<StreamName>() {
            Ok(name) if !text.contains('-') => Ok(Self(name)),
            _ => Err(GroupIdError::Category(text.chars().take(GROUP_NAME_MAX).collect())),
        }
    }
}

impl Category {
    /// The category as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for Source {
    type Err = GroupIdError;
    fn from_str(text: &str) -> Result<Self, GroupIdError> {
        if text == ALL {
            return Ok(Self::All);
        }
        if let Some(category) = text.strip_prefix(CATEGORY) {
            return Ok(Self::Category(category.parse()?));
        }
        let shown = || text.chars().take(GROUP_NAME_MAX).collect();
        let stream = text.parse();
        stream.map(Self::Stream).map_err(|source| GroupIdError::Source { text: shown(), source })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str(ALL),
            Self::Category(category) => write!(f, "{CATEGORY}{}", category.as_str()),
            Self::Stream(stream) => stream.fmt(f),
        }
    }
}

impl GroupId {
    /// Identifies a group of a source.
    pub fn new(source: Source, name: GroupName) -> Result<Self, GroupIdError> {
        let is_of_groups = match &source {
            Source::All => false,
            Source::Category(category) => category.as_str() == GROUP_CATEGORY,
            Source::Stream(stream) => stream.category() == GROUP_CATEGORY,
        };
        if is_of_groups {
            return Err(GroupIdError::OfGroups(source.to_string()));
        }
        // A `$` may only be in front of the name of a stream; names of groups have no colon.
        let plain = |name: &str| name.replace('$', ".");
        let of = match &source {
            Source::All => "all".to_owned(),
            Source::Category(category) => format!("category:{}", plain(category.as_str())),
            Source::Stream(stream) => format!("stream:{}", plain(stream.as_str())),
        };
        let stream = StreamName::of(GROUP_CATEGORY, format_args!("{of}:{name}"));
        let stream = stream.map_err(|_| GroupIdError::TooLong { name: name.clone() })?;
        Ok(Self { source, name, stream })
    }

    /// Identifies a group by texts, as edges get them.
    pub fn parse(source: &str, name: &str) -> Result<Self, GroupIdError> {
        Self::new(source.parse()?, name.parse()?)
    }

    /// Where its events come from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Its name.
    pub fn name(&self) -> &GroupName {
        &self.name
    }

    /// The stream that holds the facts about it, such as `$group-all:invoices`.
    pub fn stream(&self) -> &StreamName {
        &self.stream
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.name, self.source)
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for GroupName {
    type Error = GroupIdError;
    fn try_from(text: String) -> Result<Self, GroupIdError> {
        text.parse()
    }
}

impl From<GroupName> for String {
    fn from(name: GroupName) -> String {
        name.0.as_ref().to_owned()
    }
}

impl TryFrom<String> for Source {
    type Error = GroupIdError;
    fn try_from(text: String) -> Result<Self, GroupIdError> {
        text.parse()
    }
}

impl From<Source> for String {
    fn from(source: Source) -> String {
        source.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_source_gives_a_stream_of_its_own() {
        let stream = |source, name| GroupId::parse(source, name).unwrap().stream().to_string();
        assert_eq!(stream("$all", "mails"), "$group-all:mails");
        assert_eq!(stream("$ce-order", "mails"), "$group-category:order:mails");
        assert_eq!(stream("order-1:a", "mails"), "$group-stream:order-1:a:mails");
        assert_eq!(stream("$order-1", "mails"), "$group-stream:.order-1:mails");
        assert_eq!(stream("$$order-1", "mails"), "$group-stream:..order-1:mails");
    }

    #[test]
    fn groups_of_facts_about_groups_and_long_names_are_refused() {
        let refused = |source: &str, name: &str| GroupId::parse(source, name).unwrap_err();
        assert!(matches!(refused("$group-all:a", "b"), GroupIdError::OfGroups(_)));
        assert!(matches!(refused("$ce-$group", "b"), GroupIdError::OfGroups(_)));
        assert!(matches!(refused(&"a".repeat(250), "b"), GroupIdError::TooLong { .. }));
        for name in ["", "a:b", "$a", "a/b", ".a", "a b", &"a".repeat(65)] {
            assert!(matches!(refused("a", name), GroupIdError::Name(_)), "{name:?}");
        }
        assert!(matches!(refused("$ce-a-b", "b"), GroupIdError::Category(_)));
    }

    proptest! {
        #[test]
        fn any_texts_are_a_group_or_refused(
            source in "\\PC{0,20}|[$]{0,2}[a-z:./-]{0,12}|[$]ce-[a-z$]{1,4}",
            name in "\\PC{0,70}|[a-z:$./-]{0,9}",
        ) {
            if let Ok(id) = GroupId::parse(&source, &name) {
                prop_assert_eq!(id.source().to_string(), source);
                prop_assert_eq!(id.stream().category(), GROUP_CATEGORY);
                prop_assert_eq!(id.stream().as_str().parse(), Ok(id.stream().clone()));
            }
        }
    }
}
