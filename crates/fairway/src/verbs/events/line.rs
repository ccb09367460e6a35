//! Events as lines of JSON, without loss: how they are printed, exported and imported.

use crate::moment::iso_millis;
use base64::{Engine, prelude::BASE64_STANDARD};
use fairway_ledger::{
    Data, Event, EventError, EventId, Json, Kind, NewEvent, Position, StreamName, Version,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// An event on a line. Of `data` and `metadata` there is one form each.
#[derive(Serialize)]
struct Written<'a> {
    position: Position,
    stream: &'a StreamName,
    version: Version,
    id: EventId,
    kind: &'a Kind,
    recorded: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_base64: Option<String>,
}

/// What was read from a line.
#[derive(Debug)]
pub struct Line {
    /// The stream, if the line names one.
    pub stream: Option<StreamName>,
    /// The version that the event had where it was exported.
    pub version: Option<Version>,
    /// The event.
    pub event: NewEvent,
}

/// Why a line is not an event.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// It is no JSON object, or has other members than an event.
    #[error("this is not an event")]
    Json(#[from] serde_json::Error),
    /// Something is given in two forms.
    #[error("`{0}` is given in two forms")]
    Twice(&'static str),
    /// Bytes are not in base64.
    #[error("`{0}_base64` is not base64")]
    Base64(&'static str),
    /// Text is not JSON, or nested too deeply.
    #[error("`{0}` cannot be taken in")]
    Text(&'static str, #[source] EventError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parsed {
    stream: Option<StreamName>,
    version: Option<Version>,
    id: Option<EventId>,
    kind: Kind,
    data: Option<Box<RawValue>>,
    data_text: Option<String>,
    data_base64: Option<String>,
    metadata: Option<Box<RawValue>>,
    metadata_text: Option<String>,
    metadata_base64: Option<String>,
    #[serde(rename = "position")]
    _position: Option<Position>,
    #[serde(rename = "recorded")]
    _recorded: Option<String>,
}

/// The form of a JSON text, or of bytes, on a line.
enum Form<'a> {
    Value(&'a RawValue),
    Text(&'a str),
    Base64(String),
}

impl<'a> Form<'a> {
    fn of(data: &'a Data) -> Self {
        let Some(text) = data.as_json() else {
            return Self::Base64(BASE64_STANDARD.encode(data.as_bytes()));
        };
        // A value on a line has no line feeds, nor blanks around it.
        let is_plain = !text.contains(['\n', '\r']) && text.trim_ascii() == text;
        match is_plain.then(|| serde_json::from_str(text)) {
            Some(Ok(value)) => Self::Value(value),
            _ => Self::Text(text),
        }
    }

    fn split(self) -> (Option<&'a RawValue>, Option<&'a str>, Option<String>) {
        match self {
            Self::Value(value) => (Some(value), None, None),
            Self::Text(text) => (None, Some(text), None),
            Self::Base64(text) => (None, None, Some(text)),
        }
    }
}

/// An event as a line, without the line feed.
pub fn write(event: &Event) -> String {
    let (data, data_text, data_base64) = Form::of(&event.data).split();
    let (metadata, metadata_text, metadata_base64) = Form::of(&event.metadata).split();
    let line = Written {
        position: event.position,
        stream: &event.stream,
        version: event.version,
        id: event.id,
        kind: &event.kind,
        recorded: iso_millis(event.recorded),
        data,
        data_text,
        data_base64,
        metadata,
        metadata_text,
        metadata_base64,
    };
    serde_json::to_string(&line).expect("an event has a JSON form")
}

/// Reads a line. Without data or metadata, they are `{}`.
pub fn read(text: &[u8]) -> Result<Line, LineError> {
    let line: Parsed = serde_json::from_slice(text)?;
    let data = data("data", line.data, line.data_text, line.data_base64)?;
    let metadata = self::data("metadata", line.metadata, line.metadata_text, line.metadata_base64)?;
    let event = NewEvent { id: line.id, kind: line.kind, data, metadata };
    Ok(Line { stream: line.stream, version: line.version, event })
}

fn data(
    name: &'static str,
    value: Option<Box<RawValue>>,
    text: Option<String>,
    base64: Option<String>,
) -> Result<Data, LineError> {
    match (value, text, base64) {
        (None, None, None) => Ok(Data::empty_object()),
        (Some(value), None, None) => json(name, Box::<str>::from(value).into_string()),
        (None, Some(text), None) => json(name, text),
        (None, None, Some(text)) => {
            BASE64_STANDARD.decode(text).map(Data::Bytes).map_err(|_| LineError::Base64(name))
        }
        _ => Err(LineError::Twice(name)),
    }
}

fn json(name: &'static str, text: String) -> Result<Data, LineError> {
    Json::parse(text).map(Data::from).map_err(|error| LineError::Text(name, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_model::Timestamp;
    use proptest::prelude::*;

    fn event(data: Data, metadata: Data) -> Event {
        Event {
            position: Position(7),
            stream: "orders-1".parse().unwrap(),
            version: Version(3),
            id: EventId([7; 16]),
            kind: "order-paid".parse().unwrap(),
            recorded: Timestamp(1_800_000_000_250),
            data,
            metadata,
        }
    }

    fn json(text: &str) -> Data {
        Json::parse(text.to_owned()).unwrap().into()
    }

    #[test]
    fn an_event_is_a_line() {
        let line = write(&event(json(r#"{"total":1.10}"#), Data::empty_object()));
        expect_test::expect![[r#"{"position":7,"stream":"orders-1","version":3,"id":"07070707-0707-0707-0707-070707070707","kind":"order-paid","recorded":"2027-01-15T08:00:00.250Z","data":{"total":1.10},"metadata":{}}"#]]
            .assert_eq(&line);
    }

    #[test]
    fn what_is_not_an_event_is_refused() {
        let error = |text: &str| {
            let error = read(text.as_bytes()).unwrap_err();
            let source = std::error::Error::source(&error).map(ToString::to_string);
            source.unwrap_or_else(|| error.to_string())
        };
        assert_eq!(
            error(r#"{"kind":"a","data":1,"data_text":"1"}"#),
            "`data` is given in two forms"
        );
        assert_eq!(error(r#"{"kind":"a","data_base64":"?"}"#), "`data_base64` is not base64");
        let nested = format!(r#"{{"kind":"a","data":{}1{}}}"#, "[".repeat(101), "]".repeat(101));
        assert!(error(&nested).contains("nested at most 100 deep"), "{}", error(&nested));
        assert!(error(r#"{"kind":"a","dat":1}"#).contains("unknown field `dat`"));
        assert!(error(r#"{"data":1}"#).contains("missing field `kind`"));
        assert!(error(r#"{"kind":"a","stream":"../x"}"#).contains("is not allowed there"));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_on_a_line(
            bytes in prop::collection::vec(any::<u8>(), 0..40),
            text in "[ \n]{0,2}(\\{\"a\":[ \n\r]{0,2}[1-9]{1,30}\\.0\\}|\"[a-zä\u{80}]{0,9}\"|\\[ \\])[ \n]{0,2}",
            swapped in any::<bool>(),
        ) {
            let (data, metadata) = (Data::Bytes(bytes), json(&text));
            let (data, metadata) = if swapped { (metadata, data) } else { (data, metadata) };
            let event = event(data, metadata);
            let line = write(&event);
            prop_assert!(!line.contains('\n'));
            let read = read(line.as_bytes()).unwrap();
            prop_assert_eq!(read.event.data, event.data);
            prop_assert_eq!(read.event.metadata, event.metadata);
            prop_assert_eq!(read.event.id, Some(event.id));
        }

        #[test]
        fn any_bytes_are_a_line_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(line) = read(&bytes) {
                prop_assert!(!line.event.kind.as_str().is_empty());
            }
        }
    }
}
