//! Names a user gives to things. Each kind is a type of its own, so they cannot be mixed up.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Longest name in bytes: one DNS label (RFC 1035, section 2.3.4).
pub const NAME_MAX: usize = 63;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty.
    #[error("a name cannot be empty")]
    Empty,
    /// The text is longer than [`NAME_MAX`].
    #[error("a name has at most {NAME_MAX} characters")]
    TooLong,
    /// A character that this kind of name does not allow.
    #[error("`{0}` is not allowed in this name; {1}")]
    Character(char, &'static str),
}

const LABEL_RULE: &str =
    "use lower-case letters, digits and `-`, starting with a letter and not ending with `-`";
const SECRET_RULE: &str = "use lower-case letters, digits and `_`, starting with a letter";

fn check_label(text: &str) -> Result<(), NameError> {
    check(text, '-', LABEL_RULE)?;
    if text.ends_with('-') { Err(NameError::Character('-', LABEL_RULE)) } else { Ok(()) }
}

fn check_secret(text: &str) -> Result<(), NameError> {
    check(text, '_', SECRET_RULE)
}

fn check(text: &str, joiner: char, rule: &'static str) -> Result<(), NameError> {
    let first = text.chars().next().ok_or(NameError::Empty)?;
    if text.len() > NAME_MAX {
        return Err(NameError::TooLong);
    }
    if !first.is_ascii_lowercase() {
        return Err(NameError::Character(first, rule));
    }
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == joiner;
    match text.chars().find(|&c| !allowed(c)) {
        Some(c) => Err(NameError::Character(c, rule)),
        None => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// Names the whole of a product's services.
    FleetName, check_label
);
name!(
    /// Names one unit that is built, tested and deployed on its own.
    ServiceName, check_label
);
name!(
    /// Names a place where releases run.
    EnvironmentName, check_label
);
name!(
    /// Names one container's worth of steps in a pipeline.
    StageName, check_label
);
name!(
    /// The short name by which a service or stage reaches a neighbour.
    NeighbourName, check_label
);
name!(
    /// Names tables that follow a ledger.
    ReadModelName, check_label
);
name!(
    /// Names a secret of an environment.
    SecretName, check_secret
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_dns_label() {
        for good in ["a", "orders", "orders-2", &"a".repeat(NAME_MAX)] {
            assert!(good.parse::<ServiceName>().is_ok(), "{good}");
        }
        for bad in ["", "Orders", "2orders", "-a", "a-", "a_b", "a.b", "ä", &"a".repeat(64)] {
            assert!(bad.parse::<ServiceName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_name_takes_underscores() {
        assert!("db_password".parse::<SecretName>().is_ok());
        assert!("db-password".parse::<SecretName>().is_err());
    }
}
