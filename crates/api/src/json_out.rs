//! Events as JSON, written straight into bytes: a reader that catches up takes hundreds of thousands
//! a second.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fairway_ledger::{Data, Event, EventId};
use fairway_model::Timestamp;
use std::io::Write as _;
use time::OffsetDateTime;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes events, and remembers the second of the last one: the next is mostly of the same.
#[derive(Debug, Default)]
pub(crate) struct EventWriter {
    second: Second,
}

/// A second as text.
#[derive(Debug)]
struct Second {
    number: u64,
    text: String,
}

impl Default for Second {
    fn default() -> Self {
        Self { number: 0, text: "1970-01-01T00:00:00".to_owned() }
    }
}

impl EventWriter {
    /// Writes an event as one JSON object without a line feed in it.
    pub(crate) fn event(&mut self, out: &mut Vec<u8>, event: &Event) {
        out.extend_from_slice(b"{\"position\":");
        number(out, event.position.0);
        out.extend_from_slice(b",\"stream\":\"");
        // The characters of names need no escapes.
        out.extend_from_slice(event.stream.as_str().as_bytes());
        out.extend_from_slice(b"\",\"version\":");
        number(out, event.version.0);
        out.extend_from_slice(b",\"id\":\"");
        id(out, event.id);
        out.extend_from_slice(b"\",\"kind\":");
        text(out, event.kind.as_str());
        out.extend_from_slice(b",\"recorded\":\"");
        self.moment(out, event.recorded);
        out.push(b'"');
        data(out, "data", &event.data);
        if event.metadata.is_empty() {
            // Clients of other protocols leave them out so.
            out.extend_from_slice(b",\"metadata\":{}");
        } else {
            data(out, "metadata", &event.metadata);
        }
        out.push(b'}');
    }

    /// Writes a moment as RFC 3339 with milliseconds, in UTC.
    pub(crate) fn moment(&mut self, out: &mut Vec<u8>, at: Timestamp) {
        let (number, millis) = (at.0 / 1000, at.0 % 1000);
        if self.second.number != number {
            self.second = Second { number, text: second(number) };
        }
        out.extend_from_slice(self.second.text.as_bytes());
        write!(out, ".{millis:03}Z").expect("writing to memory succeeds");
    }
}

/// A moment as RFC 3339 with milliseconds, in UTC.
pub(crate) fn moment(at: Timestamp) -> String {
    let mut out = Vec::new();
    EventWriter::default().moment(&mut out, at);
    String::from_utf8(out).expect("a moment is ASCII")
}

fn second(number: u64) -> String {
    let seconds = i64::try_from(number).unwrap_or(i64::MAX);
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = at.to_calendar_date();
    let (hour, minute, second) = at.to_hms();
    format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}", u8::from(month))
}

/// Writes a number.
pub(crate) fn number(out: &mut Vec<u8>, number: u64) {
    write!(out, "{number}").expect("writing to memory succeeds");
}

/// Writes a text as a JSON string.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        serde_json::to_writer(out, text).expect("a text has a JSON form");
    }
}

/// Writes JSON on one line: outside of strings, line feeds are white space, and inside they cannot
/// be.
pub(crate) fn raw(out: &mut Vec<u8>, json: &str) {
    let is_feed = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let start = out.len();
    out.extend_from_slice(json.as_bytes());
    if out[start..].iter().any(is_feed) {
        out[start..].iter_mut().filter(|byte| is_feed(byte)).for_each(|byte| *byte = b' ');
    }
}

/// Writes a UUID.
pub(crate) fn id(out: &mut Vec<u8>, id: EventId) {
    for (at, byte) in id.0.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

/// Writes a member that holds data: JSON as it is, other bytes in base64 under `NAME_base64`.
pub(crate) fn data(out: &mut Vec<u8>, name: &str, data: &Data) {
    match data {
        Data::Json(json) => {
            write!(out, ",\"{name}\":").expect("writing to memory succeeds");
            raw(out, json.as_str());
        }
        Data::Bytes(bytes) => {
            write!(out, ",\"{name}_base64\":\"").expect("writing to memory succeeds");
            base64(out, bytes);
            out.push(b'"');
        }
    }
}

/// Writes bytes in base64.
pub(crate) fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]);
    out.truncate(start + written.expect("there is room for it"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_ledger::{Kind, Position, StreamName, Version};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn sample(kind: &str, data: Data) -> Event {
        Event {
            position: Position(12),
            stream: StreamName::trusted("shop/order-7"),
            version: Version(3),
            id: "00112233-4455-6677-8899-aabbccddeeff".parse().unwrap(),
            kind: Kind::trusted(kind),
            recorded: Timestamp(1_700_000_000_042),
            data,
            metadata: Data::empty_object(),
        }
    }

    fn written(event: &Event) -> String {
        let mut out = Vec::new();
        EventWriter::default().event(&mut out, event);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_event_is_an_object_on_one_line() {
        let event = sample("order-paid", Data::trusted_json("{\n \"sum\": 1.10\r\n}".to_owned()));
        assert_eq!(
            written(&event),
            "{\"position\":12,\"stream\":\"shop/order-7\",\"version\":3,\
             \"id\":\"00112233-4455-6677-8899-aabbccddeeff\",\"kind\":\"order-paid\",\
             \"recorded\":\"2023-11-14T22:13:20.042Z\",\
             \"data\":{  \"sum\": 1.10  },\"metadata\":{}}"
        );
        let mut bytes = sample("a", Data::Bytes(vec![0, 255]));
        bytes.metadata = Data::Bytes(Vec::new());
        let json: Value = serde_json::from_str(&written(&bytes)).unwrap();
        assert_eq!((&json["data_base64"], &json["metadata"]), (&json!("AP8="), &json!({})));
    }

    proptest! {
        #[test]
        fn any_event_is_valid_json(kind in "\\PC{1,40}", value in "\\PC{0,40}", millis: u32) {
            let data = json!({ "value": value });
            let mut event = sample(&kind, Data::trusted_json(format!("{data:#}")));
            event.recorded = Timestamp(u64::from(millis) * 1000);
            let text = written(&event);
            prop_assert!(!text.contains(['\n', '\r']));
            let json: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&json["kind"], &kind);
            prop_assert_eq!(&json["data"], &data);
            let recorded = crate::params::moment(json["recorded"].as_str().unwrap());
            prop_assert_eq!(recorded, Some(event.recorded));
        }
    }
}
