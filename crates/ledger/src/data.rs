//! What events carry: JSON, or bytes of which the ledger knows nothing.

use crate::event::EventError;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, SeqAccess, Visitor},
};
use std::fmt;

/// Most arrays and objects around a value of JSON. Whoever reads an event has a limit as well, often
/// of 128 or 100, and may find it within other objects.
pub const JSON_DEPTH_MAX: usize = 100;

/// Text that is valid JSON and can be read into values: no surrogate stands alone in its strings
/// (RFC 8259, section 8.2) and its numbers fit a double (section 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(String);

impl Json {
    /// Writes a value as JSON.
    pub fn of(value: &impl Serialize) -> Result<Self, EventError> {
        serde_json::to_string(value).map(Self).map_err(EventError::Json)
    }

    /// Checks that a text is JSON, nested at most [`JSON_DEPTH_MAX`] deep, and keeps it as it is.
    pub fn parse(text: String) -> Result<Self, EventError> {
        if depth(&text) > JSON_DEPTH_MAX {
            return Err(EventError::Nested);
        }
        serde_json::from_str::<Readable>(&text).map_err(EventError::Json)?;
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Any value, read and dropped. Unlike `IgnoredAny` it has strings and numbers read, not skipped.
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while let Some(Self) = items.next_element()? {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self, A::Error> {
        while let Some((Self, Self)) = fields.next_entry()? {}
        Ok(self)
    }
}

/// How deeply a text is nested, if it is JSON.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut is_string, mut is_escaped) = (false, false);
    for byte in json.bytes() {
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

/// The data or metadata of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// JSON, kept as it was given.
    Json(Json),
    /// Other bytes.
    Bytes(Vec<u8>),
}

impl Data {
    /// The empty object, which is what metadata are when none are given.
    pub fn empty_object() -> Self {
        Self::trusted_json("{}".to_owned())
    }

    /// Bytes as they are: as JSON if [`Json::parse`] takes them.
    pub fn json_or_bytes(bytes: Vec<u8>) -> Self {
        let text = str::from_utf8(&bytes).map(str::to_owned);
        match text.map(Json::parse) {
            Ok(Ok(json)) => Self::Json(json),
            _ => Self::Bytes(bytes),
        }
    }

    /// What a ledger holds was checked when it was appended.
    pub fn trusted_json(text: String) -> Self {
        Self::Json(Json(text))
    }

    /// The bytes, of JSON its text.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Json(json) => json.as_str().as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// The text, if it is JSON.
    pub fn as_json(&self) -> Option<&str> {
        match self {
            Self::Json(json) => Some(json.as_str()),
            Self::Bytes(_) => None,
        }
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether there is not even one byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Json> for Data {
    fn from(json: Json) -> Self {
        Self::Json(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Json, EventError> {
        Json::parse(text.to_owned())
    }

    #[test]
    fn json_is_nested_only_so_deep_that_others_can_read_it() {
        assert_eq!(depth(r#"{"a[{":["\"[","\\",{}]}"#), 3);
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"[{"":"#, "}]")] {
            let levels = open.matches(['[', '{']).count();
            let nested = |times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
            let deepest = nested(JSON_DEPTH_MAX / levels);
            parse(&deepest).unwrap();
            assert!(serde_json::from_str::<serde_json::Value>(&nested(110 / levels)).is_ok());
            let refused = parse(&nested(JSON_DEPTH_MAX / levels + 1)).unwrap_err();
            assert!(matches!(refused, EventError::Nested), "{refused}");
        }
        let far = 1 << 20;
        assert!(matches!(parse(&"[".repeat(far)), Err(EventError::Nested)));
        let closed = "[".repeat(far) + &"]".repeat(far);
        assert!(matches!(parse(&closed), Err(EventError::Nested)), "no stack overflows");
        assert_eq!(Data::json_or_bytes(closed.clone().into()), Data::Bytes(closed.into()));
    }

    #[test]
    fn what_no_reader_makes_values_of_is_refused() {
        for bad in [r#""\ud800""#, r#"{"\udc00":1}"#, r#"[{"a":"\ud83d\u0041"}]"#, "[1e999]"] {
            assert!(matches!(parse(bad), Err(EventError::Json(_))), "{bad}");
            assert_eq!(Data::json_or_bytes(bad.into()), Data::Bytes(bad.into()));
        }
        for good in [r#""\ud83d\ude00""#, r#""\u0000""#, "123456789012345678901234567890", "1e-999"]
        {
            assert_eq!(parse(good).unwrap().as_str(), good);
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_in_is_read_again(
            text in prop_oneof![
                r#"[\[\]{}:,"0-9a \\]{0,60}"#,
                r#""([a ]|\\n|\\u[dD][89cC]00|\\ud83d\\ude00){0,6}""#,
                r"\[-?[0-9]{1,3}(\.[0-9])?(e-?[0-9]{1,3})?\]",
            ],
        ) {
            let again = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            prop_assert_eq!(parse(&text).is_ok(), again);
        }

        #[test]
        fn bytes_stay_as_they_were(bytes: Vec<u8>, text in "[\\[\\]{}\"0-9a, :]{0,20}") {
            for bytes in [bytes, text.into_bytes()] {
                let kept = Data::json_or_bytes(bytes.clone());
                prop_assert_eq!(kept.as_bytes(), &bytes);
            }
        }
    }
}
