//! Sealing and opening fields of JSON.

use crate::{error::SubjectError, key::Key, personal::Personal};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use fairway_ledger::{Data, Json};
use serde_json::Value;

/// How a sealed field begins; what follows is base64.
const SEALED: &str = "sealed:1:";

/// Seals the personal fields of data. What is sealed already stays as it is: it comes from an export.
pub(crate) fn seal(data: &Data, personal: &Personal, key: &Key) -> Result<Data, SubjectError> {
    let text = data.as_json().ok_or(SubjectError::NotJson)?;
    let mut value: Value = serde_json::from_str(text).map_err(|_| SubjectError::NotJson)?;
    for field in &personal.fields {
        let found = value.pointer_mut(field);
        if let Some(found) = found.filter(|found| sealed_bytes(found).is_none()) {
            let sealed = key.seal(found.to_string().as_bytes(), personal.subject.as_bytes())?;
            *found = Value::String(format!("{SEALED}{}", STANDARD_NO_PAD.encode(sealed)));
        }
    }
    Ok(of_value(&value))
}

/// Whether data have a personal field that is not sealed.
pub(crate) fn has_open(data: &Data, personal: &Personal) -> Result<bool, SubjectError> {
    let text = data.as_json().ok_or(SubjectError::NotJson)?;
    let value: Value = serde_json::from_str(text).map_err(|_| SubjectError::NotJson)?;
    let mut fields = personal.fields.iter().filter_map(|field| value.pointer(field));
    Ok(fields.any(|found| sealed_bytes(found).is_none()))
}

/// Opens the personal fields of data; without the key they are null.
pub(crate) fn open(data: &Data, personal: &Personal, key: Option<&Key>) -> Data {
    let Some(mut value) = data.as_json().and_then(|text| serde_json::from_str(text).ok()) else {
        return data.clone();
    };
    for field in personal.fields.iter().rev() {
        let Some(found) = Value::pointer_mut(&mut value, field) else { continue };
        if let Some(sealed) = sealed_bytes(found) {
            let opened = key.and_then(|key| key.open(&sealed, personal.subject.as_bytes()));
            let opened = opened.and_then(|plain| serde_json::from_slice(&plain).ok());
            *found = opened.unwrap_or(Value::Null);
        }
    }
    of_value(&value)
}

/// What is sealed in a value; none if it is not a sealed one.
fn sealed_bytes(value: &Value) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(value.as_str()?.strip_prefix(SEALED)?).ok()
}

fn of_value(value: &Value) -> Data {
    Json::of(value).expect("a value of JSON is JSON").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

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
