//! Ids of events: UUIDs that a client gives, or that follow from the ledger and the position.

use crate::event::Position;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Identifies an event for ever. An append that repeats ids of its stream is a retry and does
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId(pub [u8; 16]);

/// A text is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a UUID")]
pub struct EventIdError(String);

/// Identifies a ledger; copies and backups of it have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerId(pub u64);

impl LedgerId {
    /// The id of a new ledger, unlike that of any other. Panics if the system has no randomness.
    pub fn random() -> Self {
        Self(getrandom::u64().expect("the system gives random numbers to every process"))
    }
}

impl EventId {
    /// The id of an event that was appended without one: a UUID of version 8 (RFC 9562, section
    /// 5.8) of the ledger's id and the position.
    pub fn derived(ledger: LedgerId, position: Position) -> Self {
        let bits = u128::from(ledger.0) << 64 | u128::from(position.0);
        Self(*uuid::Builder::from_custom_bytes(bits.to_be_bytes()).as_uuid().as_bytes())
    }

    /// The position of which a ledger derived this id, if it did.
    pub fn derived_from(self, ledger: LedgerId) -> Option<Position> {
        // The variant takes the two highest bits.
        let (_, low) = Uuid::from_bytes(self.0).as_u64_pair();
        let position = Position(low & (u64::MAX >> 2));
        (Self::derived(ledger, position) == self).then_some(position)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).hyphenated().fmt(f)
    }
}

impl FromStr for EventId {
    type Err = EventIdError;
    fn from_str(text: &str) -> Result<Self, EventIdError> {
        let parsed = Uuid::try_parse(text);
        let shown = || text.chars().take(uuid::fmt::Urn::LENGTH).collect();
        parsed.map(|uuid| Self(uuid.into_bytes())).map_err(|_| EventIdError(shown()))
    }
}

impl TryFrom<String> for EventId {
    type Error = EventIdError;
    fn try_from(text: String) -> Result<Self, EventIdError> {
        text.parse()
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn derived_ids_differ_by_position_and_by_ledger() {
        let id = |ledger, position| EventId::derived(LedgerId(ledger), Position(position));
        assert_ne!(id(1, 1), id(1, 2));
        assert_ne!(id(u64::MAX, 1), id(0, 1));
        let uuid = Uuid::from_bytes(id(7, 9).0);
        assert_eq!(uuid.get_version_num(), 8);
        assert_eq!(id(7, 9).to_string().parse(), Ok(id(7, 9)));
    }

    #[test]
    fn a_derived_id_says_of_which_position_it_is() {
        for position in [1, 255, 1 << 40, (1 << 62) - 1] {
            let id = EventId::derived(LedgerId(u64::MAX), Position(position));
            assert_eq!(id.derived_from(LedgerId(u64::MAX)), Some(Position(position)));
            assert_eq!(id.derived_from(LedgerId(7)), None);
        }
        assert_eq!(EventId([7; 16]).derived_from(LedgerId(7)), None);
    }

    proptest! {
        #[test]
        fn any_text_is_an_id_or_refused(text in "\\PC{0,60}|[0-9a-f-]{30,40}") {
            if let Ok(id) = text.parse::<EventId>() {
                prop_assert_eq!(id.to_string().parse::<EventId>(), Ok(id));
            }
        }
    }
}
