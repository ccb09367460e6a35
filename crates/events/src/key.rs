//! What events have in common, as a number.

use crate::settings::{OrderBy, Strategy};
use fairway_ledger::Event;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// A hash of what events have in common. Should two texts have the same, their events are kept in
/// order although they need not be, which does no harm. It is stored, so it never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) u64);

impl Key {
    fn of(sort: &str, text: &str) -> Self {
        // FNV-1a, 64 bits (RFC 9923).
        let bytes = sort.bytes().chain([0]).chain(text.bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(hash)
    }

    fn of_stream(event: &Event) -> Self {
        Self::of("stream", event.stream.as_str())
    }

    fn of_correlation(event: &Event) -> Self {
        match event.correlation() {
            Some(correlation) => Self::of("correlation", &correlation),
            None => Self::of_stream(event),
        }
    }

    /// What an event is ordered by.
    pub(crate) fn order(event: &Event, by: &OrderBy) -> Option<Self> {
        match by {
            OrderBy::Nothing => None,
            OrderBy::Stream => Some(Self::of_stream(event)),
            OrderBy::Correlation => Some(Self::of_correlation(event)),
            OrderBy::Field(name) => {
                let value = event.data.as_json().and_then(|json| field(json, name));
                Some(value.map_or_else(|| Self::of_stream(event), |text| Self::of("field", &text)))
            }
        }
    }

    /// What an event is pinned to a consumer by.
    pub(crate) fn pin(event: &Event, by: &OrderBy, strategy: Strategy) -> Option<Self> {
        match strategy {
            Strategy::RoundRobin | Strategy::DispatchToSingle => None,
            Strategy::Pinned => {
                Some(Self::order(event, by).unwrap_or_else(|| Self::of_stream(event)))
            }
            Strategy::PinnedByCorrelation => Some(Self::of_correlation(event)),
        }
    }
}

/// The value of a field of an object, as text; none if it is no text, number or boolean.
fn field(json: &str, name: &str) -> Option<String> {
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.deserialize_map(Field(name)).ok().flatten()
}

/// Finds a field without keeping the others.
struct Field<'a>(&'a str);

impl<'de> Visitor<'de> for Field<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<String>()? {
            if name == self.0 {
                found = map.next_value::<Scalar>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// A text, number or boolean as text.
struct Scalar(Option<String>);

impl<'de> de::Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(match serde_json::Value::deserialize(from)? {
            serde_json::Value::String(text) => Some(text),
            serde_json::Value::Number(number) => Some(number.to_string()),
            serde_json::Value::Bool(yes) => Some(yes.to_string()),
            serde_json::Value::Null
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_) => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_field_is_found_in_the_outermost_object_only() {
        let json = r#"{"a": {"b": 1}, "b": "two", "c": 3, "d": true, "e": null, "f": [1]}"#;
        let of = |name| field(json, name);
        assert_eq!(of("b").as_deref(), Some("two"));
        assert_eq!(of("c").as_deref(), Some("3"));
        assert_eq!(of("d").as_deref(), Some("true"));
        assert_eq!([of("a"), of("e"), of("f"), of("g")], [const { None }; 4]);
        assert_eq!(field("[1]", "b"), None);
        assert_eq!(field("7", "b"), None);
    }

    #[test]
    fn a_key_is_the_same_in_every_release() {
        assert_eq!(Key::of("stream", "order-1"), Key(0x4402_daaf_3aa4_b3bf));
        assert_ne!(Key::of("stream", "1"), Key::of("field", "1"));
    }

    proptest! {
        #[test]
        fn any_text_has_a_field_or_not(text in "\\PC{0,60}|[\\[{\":,a1}\\]]{0,40}") {
            let _: Option<String> = field(&text, "a");
        }

        #[test]
        fn what_is_written_is_found(name in "\\PC{0,9}", value in "\\PC{0,9}") {
            let json = serde_json::json!({ &name: &value, "other": [1, {}] }).to_string();
            prop_assume!(name != "other");
            prop_assert_eq!(field(&json, &name), Some(value));
        }
    }
}
