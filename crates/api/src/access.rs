//! What a caller may do.

use fairway_ledger::StreamName;
use std::sync::Arc;

/// What is done to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Its events are read.
    Read,
    /// Events are appended to it.
    Append,
    /// It is truncated, deleted or closed; or groups of it are managed.
    Manage,
}

impl Right {
    /// All.
    pub const ALL: [Self; 3] = [Self::Read, Self::Append, Self::Manage];

    /// The right as a word of the tokens file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Append => "append",
            Self::Manage => "manage",
        }
    }

    /// The right as what somebody does.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Append => "append to",
            Self::Read | Self::Manage => self.name(),
        }
    }
}

/// What a caller may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    All,
    /// What is granted.
    Granted(Arc<Grants>),
}

/// How the names of streams begin to which there are rights. The empty text begins all names but
/// those of the ledger's own streams: these are for texts that begin with `$`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Streams that may be read.
    pub read: Vec<String>,
    /// Streams that may be appended to.
    pub append: Vec<String>,
    /// Streams that may be truncated, deleted or closed, and whose groups may be managed.
    pub manage: Vec<String>,
}

impl Grants {
    /// The prefixes of a right.
    pub fn of(&self, right: Right) -> &[String] {
        match right {
            Right::Read => &self.read,
            Right::Append => &self.append,
            Right::Manage => &self.manage,
        }
    }

    /// The same, to be changed.
    pub fn of_mut(&mut self, right: Right) -> &mut Vec<String> {
        match right {
            Right::Read => &mut self.read,
            Right::Append => &mut self.append,
            Right::Manage => &mut self.manage,
        }
    }
}

impl Access {
    /// Whether something may be done to a stream. Metadata are read by who may read the stream that
    /// they are about, and written by who may manage it.
    pub fn may(&self, right: Right, stream: &StreamName) -> bool {
        let Self::Granted(grants) = self else { return true };
        let about = stream.is_about();
        let right = match (right, &about) {
            (Right::Append, Some(_)) => Right::Manage,
            (right, _) => right,
        };
        let name = about.as_ref().unwrap_or(stream);
        let begins = |prefix: &String| {
            name.as_str().starts_with(prefix.as_str())
                && (!name.is_system() || prefix.starts_with('$'))
        };
        grants.of(right).iter().any(begins)
    }

    /// Whether something may be done to all streams of a category.
    pub fn may_category(&self, right: Right, category: &str) -> bool {
        let Self::Granted(grants) = self else { return true };
        let begins = |prefix: &String| {
            category.starts_with(prefix.as_str())
                && (!category.starts_with('$') || prefix.starts_with('$'))
        };
        grants.of(right).iter().any(begins)
    }

    /// Whether something may be done to all streams that are not the ledger's own.
    pub fn may_all(&self, right: Right) -> bool {
        match self {
            Self::All => true,
            Self::Granted(grants) => grants.of(right).iter().any(String::is_empty),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_per_prefix() {
        let grants = Grants {
            read: vec![String::new()],
            append: vec!["order-".to_owned()],
            manage: vec!["order-1".to_owned(), "$group".to_owned()],
        };
        let access = Access::Granted(Arc::new(grants));
        let may = |right, name: &str| access.may(right, &name.parse().unwrap());
        assert!(may(Right::Read, "cart-1") && may(Right::Read, "$$cart-1"));
        assert!(!may(Right::Read, "$group-1") && may(Right::Manage, "$group-1"));
        assert!(may(Right::Append, "order-7") && !may(Right::Append, "orders"));
        assert!(may(Right::Append, "$$order-17") && !may(Right::Append, "$$order-7"));
        assert!(access.may_all(Right::Read) && !access.may_all(Right::Append));
    }
}
