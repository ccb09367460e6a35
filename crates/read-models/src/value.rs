//! Values on the way from an event into a statement.

use serde_json::value::RawValue;
use std::borrow::Cow;

/// A value that a parameter gets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'e> {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number that is not whole, and how it was written.
    Real(f64, &'e str),
    /// A text; of lists, objects and numbers that fit nothing else, their JSON.
    Text(Cow<'e, str>),
    Bytes(&'e [u8]),
}

impl<'e> Value<'e> {
    /// What a piece of valid JSON stands for.
    pub(crate) fn of_json(json: &'e str) -> Self {
        match json.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => Self::Text(text(json)),
            Some(b'{' | b'[') | None => Self::Text(json.into()),
            Some(_) => number(json),
        }
    }

    /// The value as text, as PostgreSQL takes it; none for null.
    pub(crate) fn to_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Null => None,
            Self::Bool(true) => Some("true".into()),
            Self::Bool(false) => Some("false".into()),
            Self::Integer(number) => Some(number.to_string().into()),
            // So many digits a float keeps; of more, some would be lost.
            Self::Real(_, text) if digits(text) > f64::DIGITS as usize => Some((*text).into()),
            Self::Real(number, _) => Some(number.to_string().into()),
            Self::Text(text) => Some((&**text).into()),
            Self::Bytes(bytes) => Some(format!("\\x{}", hex(bytes)).into()),
        }
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a string succeeds");
    }
    text
}

fn text(json: &str) -> Cow<'_, str> {
    let inner = &json[1..json.len() - 1];
    if !inner.contains('\\') {
        return inner.into();
    }
    serde_json::from_str::<String>(json).map_or_else(|_| inner.into(), Cow::Owned)
}

fn number(json: &str) -> Value<'_> {
    if let Ok(number) = json.parse() {
        return Value::Integer(number);
    }
    let is_whole = json.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match json.parse() {
        Ok(number) if !is_whole => Value::Real(number, json),
        _ => Value::Text(json.into()),
    }
}

/// How many digits a number has before its exponent.
fn digits(number: &str) -> usize {
    let mantissa = number.bytes().take_while(|byte| !byte.eq_ignore_ascii_case(&b'e'));
    mantissa.filter(u8::is_ascii_digit).count()
}

/// Finds fields at the top of JSON without reading more of it than where they are.
pub(crate) mod fields {
    use super::RawValue;
    use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
    use std::fmt;

    /// Puts the JSON of every wanted field that is there at its place in `found`; of one that is
    /// there twice, the last. What is not an object has no fields.
    pub(crate) fn find<'e>(json: &'e str, wanted: &[Box<str>], found: &mut Vec<Option<&'e str>>) {
        found.clear();
        found.resize(wanted.len(), None);
        if wanted.is_empty() || !json.trim_start().starts_with('{') {
            return;
        }
        let mut reader = serde_json::Deserializer::from_str(json);
        // A ledger holds valid JSON only; of anything else, there is what was found before.
        let object = Object { wanted, found };
        if object.deserialize(&mut reader).is_err() {
            found.clear();
            found.resize(wanted.len(), None);
        }
    }

    struct Object<'a, 'e> {
        wanted: &'a [Box<str>],
        found: &'a mut Vec<Option<&'e str>>,
    }

    impl<'e> DeserializeSeed<'e> for Object<'_, 'e> {
        type Value = ();
        fn deserialize<D: Deserializer<'e>>(self, from: D) -> Result<(), D::Error> {
            from.deserialize_map(self)
        }
    }

    impl<'e> Visitor<'e> for Object<'_, 'e> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<M: MapAccess<'e>>(self, mut map: M) -> Result<(), M::Error> {
            while let Some(place) = map.next_key_seed(Name(self.wanted))? {
                match place {
                    Some(place) => {
                        let value: &'e RawValue = map.next_value()?;
                        self.found[place] = Some(value.get());
                    }
                    None => {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
            }
            Ok(())
        }
    }

    /// Reads a key as its place among those that are wanted.
    struct Name<'a>(&'a [Box<str>]);

    impl<'e> DeserializeSeed<'e> for Name<'_> {
        type Value = Option<usize>;
        fn deserialize<D: Deserializer<'e>>(self, from: D) -> Result<Self::Value, D::Error> {
            from.deserialize_str(self)
        }
    }

    impl Visitor<'_> for Name<'_> {
        type Value = Option<usize>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a key")
        }

        fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
            Ok(self.0.iter().position(|wanted| &**wanted == key))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_wanted_fields_at_the_top_are_found() {
        let json = r#" {"a":1,"b":{"a":2},"c\u0064":"x\ny","e":null,"a":3}"#;
        let wanted = ["a", "cd", "e", "no", "b"].map(Box::from);
        let mut found = Vec::new();
        fields::find(json, &wanted, &mut found);
        let found: Vec<_> = found.into_iter().map(|json| json.map(Value::of_json)).collect();
        let text = |text: &'static str| Some(Value::Text(text.into()));
        let null = Some(Value::Null);
        assert_eq!(found, [Some(Value::Integer(3)), text("x\ny"), null, None, text(r#"{"a":2}"#)]);
        let mut found = Vec::new();
        fields::find("[1]", &wanted, &mut found);
        assert_eq!(found, [None; 5]);
    }

    #[test]
    fn numbers_keep_all_their_digits() {
        assert_eq!(Value::of_json("-7"), Value::Integer(-7));
        assert_eq!(Value::of_json("1e3"), Value::Real(1000.0, "1e3"));
        let text = |json| Value::of_json(json).to_text().map(Cow::into_owned);
        assert_eq!(text("12345678901234567890.12").unwrap(), "12345678901234567890.12");
        assert_eq!(text("1.10").unwrap(), "1.1");
        assert_eq!(text("7.0").unwrap(), "7", "it fits a column of whole numbers");
        assert_eq!(
            Value::of_json("18446744073709551615"),
            Value::Text("18446744073709551615".into())
        );
    }

    proptest! {
        #[test]
        fn any_text_is_looked_through(json in "\\PC{0,80}|[{}\"a:1,\\[\\]\\\\]{0,30}") {
            fields::find(&json, &["a".into()], &mut Vec::new());
        }
    }
}
