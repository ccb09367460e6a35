//! The attributes of a CloudEvent, and how they become an event of a ledger.

use fairway_ledger::{CAUSATION, CORRELATION, Data, EventId, Json, Kind, NewEvent};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The version of the specification.
pub(super) const SPEC_VERSION: &str = "1.0";
/// Most attributes of one CloudEvent.
const ATTRIBUTES_MAX: usize = 100;
/// Longest name of an attribute; the specification asks for 20 at most.
const NAME_MAX: usize = 64;
/// Attributes that say where an event is in a ledger: they are given, never taken.
pub(super) const PLACES: [&str; 3] = ["fairwayposition", "fairwaystream", "fairwayversion"];
/// The attributes that name what belongs together, and the metadata of the same meaning.
pub(super) const RELATIONS: [(&str, &str); 2] =
    [("correlationid", CORRELATION), ("causationid", CAUSATION)];

/// Why something is not a CloudEvent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CloudEventError {
    /// Not the JSON of one.
    #[error("this is not a CloudEvent in JSON: {0}")]
    Json(String),
    /// Something is not there, or is empty.
    #[error("a CloudEvent needs the attribute `{0}`, and it cannot be empty")]
    Missing(&'static str),
    /// Another version of the specification.
    #[error("CloudEvents of version `{0}` are not known, only of 1.0")]
    SpecVersion(String),
    /// A name of an attribute that is none.
    #[error("`{0}` is not the name of an attribute: use small letters and digits")]
    Name(String),
    /// Too many.
    #[error("a CloudEvent has at most {ATTRIBUTES_MAX} attributes")]
    TooMany,
    /// A value that an attribute cannot have.
    #[error("the attribute `{0}` has a value that it cannot have")]
    Value(String),
    /// Both `data` and `data_base64`.
    #[error("either `data` or `data_base64`, not both")]
    Twice,
    /// The payload is not what its type says.
    #[error("the data are not what `datacontenttype` says: {0}")]
    Data(String),
}

/// The attributes of a CloudEvent: texts, truths and whole numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Attributes(Map<String, Value>);

impl Attributes {
    /// Takes in an attribute; nothing is the same as being left out.
    pub(super) fn add(&mut self, name: &str, value: Value) -> Result<(), CloudEventError> {
        let shown = || name.chars().take(NAME_MAX).collect::<String>();
        if !is_name(name) {
            return Err(CloudEventError::Name(shown()));
        }
        if self.0.len() >= ATTRIBUTES_MAX {
            return Err(CloudEventError::TooMany);
        }
        match value {
            Value::Null => Ok(()),
            value if is_value(&value) && !self.0.contains_key(name) => {
                self.0.insert(name.to_owned(), value);
                Ok(())
            }
            _ => Err(CloudEventError::Value(shown())),
        }
    }

    /// The type of the data.
    pub(super) fn content(&self) -> Option<&str> {
        self.0.get("datacontenttype")?.as_str()
    }

    /// The event of a ledger that carries all this.
    pub(super) fn event(mut self, data: Data) -> Result<NewEvent, CloudEventError> {
        let version = self.needed("specversion")?;
        if version != SPEC_VERSION {
            return Err(CloudEventError::SpecVersion(version.chars().take(NAME_MAX).collect()));
        }
        let (id, source) = (self.needed("id")?, self.needed("source")?);
        let kind: Kind =
            self.needed("type")?.parse().map_err(|_| CloudEventError::Value("type".to_owned()))?;
        self.check_optional()?;
        let given = event_id(&source, &id);
        if given.to_string() == id {
            self.0.remove("id");
        }
        self.0.remove("type");
        for place in PLACES {
            self.0.remove(place);
        }
        for (attribute, metadata) in RELATIONS {
            if let Some(value) = self.0.get(attribute).filter(|value| value.is_string()) {
                self.0.insert(metadata.to_owned(), value.clone());
            }
        }
        let metadata = Json::of(&self.0).map_err(|error| CloudEventError::Json(error.to_string()));
        Ok(NewEvent { id: Some(given), kind, data, metadata: metadata?.into() })
    }

    fn needed(&self, name: &'static str) -> Result<String, CloudEventError> {
        let value = self.0.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
        value.map(str::to_owned).ok_or(CloudEventError::Missing(name))
    }

    fn check_optional(&self) -> Result<(), CloudEventError> {
        for name in ["subject", "dataschema", "datacontenttype", "time"] {
            let Some(value) = self.0.get(name) else { continue };
            let text = value.as_str().filter(|text| !text.is_empty());
            let is_right = text.is_some_and(|text| {
                name != "time" || OffsetDateTime::parse(text, &Rfc3339).is_ok()
            });
            if !is_right {
                return Err(CloudEventError::Value(name.to_owned()));
            }
        }
        Ok(())
    }
}

/// Whether a text can be the name of an attribute.
pub(super) fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(is_plain) && text != "data"
}

/// Whether this can be the value of an attribute: whole numbers have 32 bits.
pub(super) fn is_value(value: &Value) -> bool {
    match value {
        Value::String(_) | Value::Bool(_) => true,
        Value::Number(number) => number.as_i64().is_some_and(|it| i32::try_from(it).is_ok()),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Whether data of a type are JSON (RFC 6838, section 4.2.8); without a type they are.
pub(super) fn is_json(content: Option<&str>) -> bool {
    let Some(content) = content else { return true };
    let media = content.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media.ends_with("/json") || media.ends_with("+json")
}

/// The id itself if it is a UUID; else one of version 8 (RFC 9562, section 5.8) of the SHA-256 of
/// source and id, which together identify a CloudEvent.
fn event_id(source: &str, id: &str) -> EventId {
    if let Ok(id) = id.parse() {
        return id;
    }
    let mut hash = Sha256::new();
    hash.update((source.len() as u64).to_be_bytes());
    hash.update(source);
    hash.update(id);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    EventId(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_no_uuid_gives_always_the_same_one() {
        let id = event_id("/shop", "A-1");
        assert_eq!(id, event_id("/shop", "A-1"));
        assert_ne!(id, event_id("/shopA", "-1"));
        assert_eq!(id.to_string().as_bytes()[14], b'8');
        let uuid = "6f9619ff-8b86-4011-b42d-00cf4fc964ff";
        assert_eq!(event_id("/shop", uuid).to_string(), uuid);
    }

    #[test]
    fn types_that_end_in_json_are_json() {
        let json = ["application/json", "text/json; charset=utf-8", "application/vnd.a+JSON"];
        assert!(json.into_iter().all(|content| is_json(Some(content))) && is_json(None));
        assert!(!is_json(Some("text/plain")) && !is_json(Some("application/jsonx")));
    }
}
