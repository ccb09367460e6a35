//! Sealing and opening fields of JSON.

use crate::{error::SubjectError, fields::Fields, key::Key, personal::Personal};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use fairway_ledger::Data;

/// How a sealed field begins; what follows is base64.
const SEALED: &str = "sealed:1:";

/// Seals the personal fields of data. What is sealed already stays as it is: it comes from an export.
pub(crate) fn seal(data: &Data, personal: &Personal, key: &Key) -> Result<Data, SubjectError> {
    let text = data.as_json().ok_or(SubjectError::NotJson)?;
    let mut seal = |field: &str| {
        if sealed_bytes(field).is_some() {
            return Ok(None);
        }
        let sealed = key.seal(field.as_bytes(), personal.subject.as_bytes())?;
        Ok(Some(format!("\"{SEALED}{}\"", STANDARD_NO_PAD.encode(sealed))))
    };
    let sealed = Fields::of(&personal.fields).change(text, &mut seal)?;
    Ok(sealed.map_or_else(|| data.clone(), Data::trusted_json))
}

/// Whether data have a personal field that is not sealed.
pub(crate) fn has_open(data: &Data, personal: &Personal) -> Result<bool, SubjectError> {
    let text = data.as_json().ok_or(SubjectError::NotJson)?;
    let mut is_open = false;
    let mut look = |field: &str| {
        is_open |= sealed_bytes(field).is_none();
        Ok(None)
    };
    Fields::of(&personal.fields).change(text, &mut look)?;
    Ok(is_open)
}

/// Opens the personal fields of data; without the key they are null.
pub(crate) fn open(data: &Data, personal: &Personal, key: Option<&Key>) -> Data {
    let mut open = |field: &str| {
        let Some(sealed) = sealed_bytes(field) else { return Ok(None) };
        let opened = key.and_then(|key| key.open(&sealed, personal.subject.as_bytes()));
        let opened = opened.and_then(|plain| String::from_utf8(plain).ok());
        Ok(Some(opened.unwrap_or_else(|| "null".to_owned())))
    };
    let fields = Fields::of(&personal.fields);
    let opened = data.as_json().map(|text| fields.change(text, &mut open));
    match opened {
        Some(Ok(Some(text))) => Data::trusted_json(text),
        _ => data.clone(),
    }
}

/// What is sealed in a field; none if it is not a sealed one.
fn sealed_bytes(field: &str) -> Option<Vec<u8>> {
    let text: String = serde_json::from_str(field).ok()?;
    let sealed = STANDARD_NO_PAD.decode(text.strip_prefix(SEALED)?).ok()?;
    (sealed.len() >= Key::SEALED_MIN).then_some(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_ledger::Json;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn of_value(value: &Value) -> Data {
        Json::of(value).unwrap().into()
    }

    fn personal(fields: &[&str]) -> Personal {
        let fields = fields.iter().map(|&field| field.to_owned()).collect();
        Personal { subject: "c-7".to_owned(), fields }
    }

    #[test]
    fn only_the_named_fields_are_sealed_and_come_back() {
        let data = json!({"id": 7, "name": "Ada", "at": {"street": "Elm", "zip": [1, null]}});
        let (key, fields) = (Key::generate().unwrap(), personal(&["/name", "/at/zip", "/none"]));
        let sealed = seal(&of_value(&data), &fields, &key).unwrap();
        let text = sealed.as_json().unwrap();
        assert!(!text.contains("Ada") && text.contains("Elm"), "{text}");
        assert_eq!(open(&sealed, &fields, Some(&key)), of_value(&data));
        let lost = json!({"id": 7, "name": null, "at": {"street": "Elm", "zip": null}});
        assert_eq!(open(&sealed, &fields, None), of_value(&lost));
        let other = Key::generate().unwrap();
        assert_eq!(open(&sealed, &fields, Some(&other)), of_value(&lost));
    }

    #[test]
    fn a_field_within_a_sealed_one_comes_back_too() {
        let (key, fields) = (Key::generate().unwrap(), personal(&["/a/b", "/a"]));
        let data = of_value(&json!({"a": {"b": "x"}}));
        let sealed = seal(&data, &fields, &key).unwrap();
        assert_eq!(open(&sealed, &fields, Some(&key)), data);
    }

    /// As versions before sealed them: one field after the other.
    #[test]
    fn what_was_sealed_within_a_sealed_field_is_opened_too() {
        let (key, inner) = (Key::generate().unwrap(), personal(&["/a/b"]));
        let data = of_value(&json!({"a": {"b": "x", "c": 1}}));
        let twice = seal(&seal(&data, &inner, &key).unwrap(), &personal(&["/a"]), &key).unwrap();
        assert_eq!(open(&twice, &personal(&["/a/b", "/a"]), Some(&key)), data);
    }

    #[test]
    fn what_only_begins_like_a_sealed_field_is_sealed() {
        let (key, fields) = (Key::generate().unwrap(), personal(&["/a"]));
        let data = of_value(&json!({"a": "sealed:1:aGVsbG8"}));
        let sealed = seal(&data, &fields, &key).unwrap();
        assert!(!sealed.as_json().unwrap().contains("aGVsbG8"));
        assert_eq!(open(&sealed, &fields, Some(&key)), data);
    }

    #[test]
    fn everything_else_comes_back_to_the_last_digit() {
        let (key, fields) = (Key::generate().unwrap(), personal(&["/a"]));
        let text = r#"{"z":1.10,"a":[ 0.10, 98765432109876543210 ],"id":12345678901234567890123}"#;
        let data = Data::trusted_json(text.to_owned());
        let sealed = seal(&data, &fields, &key).unwrap();
        assert!(sealed.as_json().unwrap().ends_with(r#""id":12345678901234567890123}"#));
        assert_eq!(open(&sealed, &fields, Some(&key)), data);
    }

    #[test]
    fn what_is_sealed_is_not_sealed_again() {
        let (key, fields) = (Key::generate().unwrap(), personal(&["/a"]));
        let once = seal(&of_value(&json!({"a": 1})), &fields, &key).unwrap();
        let again = seal(&once, &fields, &Key::generate().unwrap()).unwrap();
        assert_eq!(once, again);
    }

    proptest! {
        #[test]
        fn what_is_sealed_comes_back(name in "\\PC{0,40}", field in "/[a-z]{0,3}|\\PC{0,5}") {
            let data = of_value(&json!({"a": name, "b": {"": name}, "": 1}));
            let (key, fields) = (Key::generate().unwrap(), personal(&[&field]));
            let sealed = seal(&data, &fields, &key).unwrap();
            prop_assert_eq!(open(&sealed, &fields, Some(&key)), data);
        }
    }
}
