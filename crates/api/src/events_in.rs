//! Events as clients write them in JSON.

use crate::{expected, json_in, problem::Problem};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fairway_ledger::{
    Append, Data, EventId, Expected, Kind, NewEvent, Snapshot, StreamName, Version,
};
use fairway_model::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

/// An event to be appended.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    #[serde(default)]
    id: Option<EventId>,
    kind: Kind,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    data_base64: Option<String>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
}

/// Events for one of several streams.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAppend<'a> {
    stream: StreamName,
    #[serde(default = "anything", deserialize_with = "expected::from_json")]
    expected: Expected,
    #[serde(borrow, default)]
    events: Vec<Written<'a>>,
}

/// A snapshot to be saved.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSnapshot<'a> {
    version: u64,
    kind: Kind,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    data_base64: Option<String>,
}

fn anything() -> Expected {
    Expected::Any
}

/// One event, or an array of them.
pub(crate) fn events(body: &[u8]) -> Result<Vec<NewEvent>, Problem> {
    let text = text(body)?;
    if text.trim_start().starts_with('[') {
        let all: Vec<Written<'_>> = parse(text)?;
        all.into_iter().map(Written::event).collect()
    } else {
        Ok(vec![parse::<Written<'_>>(text)?.event()?])
    }
}

/// An event per line; lines of white space are left out.
pub(crate) fn lines(body: &[u8]) -> Result<Vec<NewEvent>, Problem> {
    let lines = text(body)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let event = |(at, line): (usize, &str)| {
        let written: Result<Written<'_>, _> = serde_json::from_str(line);
        let written = written
            .map_err(|error| Problem::content(format!("line {} is no event: {error}", at + 1)));
        written?.event()
    };
    lines.map(event).collect()
}

/// Events for several streams.
pub(crate) fn appends(body: &[u8]) -> Result<Vec<Append>, Problem> {
    let all: Vec<WrittenAppend<'_>> = parse(text(body)?)?;
    let append = |written: WrittenAppend<'_>| {
        let WrittenAppend { stream, expected, events } = written;
        let events = events.into_iter().map(Written::event).collect::<Result<_, Problem>>()?;
        Ok(Append { stream, expected, events })
    };
    all.into_iter().map(append).collect()
}

/// A snapshot of a stream.
pub(crate) fn snapshot(body: &[u8], recorded: Timestamp) -> Result<Snapshot, Problem> {
    let WrittenSnapshot { version, kind, data: json, data_base64 } = parse(text(body)?)?;
    Ok(Snapshot { version: Version(version), kind, data: data(json, data_base64)?, recorded })
}

fn text(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body).map_err(|_| Problem::content("the body is not UTF-8"))
}

/// Any JSON.
pub(crate) fn json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    parse(text(body)?)
}

/// Reads JSON; nested deeper than 128 it is refused.
fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    serde_json::from_str(text)
        .map_err(|error| Problem::content(format!("the body is not what is wanted: {error}")))
}

impl Written<'_> {
    fn event(self) -> Result<NewEvent, Problem> {
        let metadata = match self.metadata.map(RawValue::get) {
            None => Data::empty_object(),
            Some(json) if json.starts_with('{') => kept(json)?,
            Some(_) => return Err(Problem::content("`metadata` has to be an object")),
        };
        let data = data(self.data, self.data_base64)?;
        Ok(NewEvent { id: self.id, kind: self.kind, data, metadata })
    }
}

/// JSON as it was given, or bytes. Nothing stands for `null`.
fn data(json: Option<&RawValue>, base64: Option<String>) -> Result<Data, Problem> {
    match (json, base64) {
        (Some(_), Some(_)) => Err(Problem::content("either `data` or `data_base64`, not both")),
        (Some(json), None) => kept(json.get()),
        (None, Some(text)) => bytes(&text),
        (None, None) => Ok(Data::trusted_json("null".to_owned())),
    }
}

fn kept(json: &str) -> Result<Data, Problem> {
    let json = json_in::json(json);
    json.map(Data::from).map_err(|error| Problem::content(error.to_string()))
}

/// Bytes in base64.
fn bytes(text: &str) -> Result<Data, Problem> {
    let bytes = STANDARD.decode(text);
    bytes.map(Data::Bytes).map_err(|_| Problem::content("`data_base64` is not base64"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{damage::damaged, given::appended, json_out::EventWriter};
    use proptest::prelude::*;

    /// Bodies of all forms that are what is wanted.
    fn bodies() -> Vec<Vec<u8>> {
        let event = r#"{"id":"018f4a3e-0000-7000-8000-000000000001","kind":"a",
            "data":{"sum": 1.10,"b":[1, {"c":"\u00e4\n"}]},"metadata":{"by":"ann"}}"#;
        let bytes = r#"{"kind":"b","data_base64":"AP8="}"#;
        let bodies = [
            event.to_owned(),
            format!("[{event},{bytes}]"),
            format!("{}\n\n{bytes}\r\n", event.replace('\n', "")),
            format!(
                r#"[{{"stream":"a-1","expected":"none","events":[{event},{bytes}]}},
                {{"stream":"b/c-1","expected":7,"events":[]}}]"#
            ),
            r#"{"version":7,"kind":"s","data":{"a":[1]}}"#.to_owned(),
        ];
        bodies.map(String::into_bytes).to_vec()
    }

    #[test]
    fn undamaged_bodies_are_taken() {
        let [one, several, in_lines, of_streams, state] = &bodies()[..] else { panic!("five") };
        assert_eq!((events(one).unwrap().len(), events(several).unwrap().len()), (1, 2));
        assert_eq!((lines(in_lines).unwrap().len(), appends(of_streams).unwrap().len()), (2, 2));
        assert_eq!(snapshot(state, Timestamp(0)).unwrap().version, Version(7));
    }

    #[test]
    fn data_are_kept_as_they_were_written() {
        let body = br#" {"kind":"a","data":{"sum": 1.10,"b":[1, 2]},"metadata":{"by":"ann"}}"#;
        let [event] = &events(body).unwrap()[..] else { panic!("one event") };
        assert_eq!(event.data.as_json(), Some(r#"{"sum": 1.10,"b":[1, 2]}"#));
        assert_eq!(event.metadata.as_json(), Some(r#"{"by":"ann"}"#));
        let [event] = &events(br#"[{"kind":"a","data_base64":"AP8="}]"#).unwrap()[..] else {
            panic!("one event")
        };
        assert_eq!(event.data, Data::Bytes(vec![0, 255]));
        assert_eq!(lines(b"{\"kind\":\"a\"}\n\n{\"kind\":\"b\",\"data\":1}\n").unwrap().len(), 2);
        assert!(events(b"[]").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let deep = format!("{{\"kind\":\"a\",\"data\":{}", "[".repeat(100_000));
        let bad = [
            "",
            "1",
            "{}",
            "null",
            r#"{"kind":""}"#,
            r#"{"kind":"a","more":1}"#,
            r#"{"kind":"a","id":"7"}"#,
            r#"{"kind":"a","metadata":1}"#,
            r#"[{"kind":"a"},1]"#,
            r#"{"kind":"a","data":1,"data_base64":"AA=="}"#,
            r#"{"kind":"a","data_base64":"?"}"#,
            r#"{"kind":"a","kind":"b"}"#,
            r#"{"kind":"a"} {"kind":"b"}"#,
            &deep,
        ];
        for bad in bad {
            assert!(events(bad.as_bytes()).is_err(), "{bad:.80}");
        }
        assert!(events(b"{\"kind\":\"\xff\"}").is_err());
        assert!(appends(br#"[{"stream":"../a","events":[]}]"#).is_err());
        assert!(appends(br#"[{"stream":"a","expected":-1}]"#).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_events_or_are_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            drop((events(&body), lines(&body), appends(&body), snapshot(&body, Timestamp(0))));
        }

        #[test]
        fn damaged_bodies_are_events_that_can_be_read_again_or_are_refused(
            body in damaged(bodies()),
        ) {
            let all = appends(&body).map(|all| all.into_iter().flat_map(|it| it.events).collect());
            for taken in [events(&body), lines(&body), all].into_iter().flatten() {
                for event in taken {
                    let mut out = Vec::new();
                    EventWriter::default().event(&mut out, &appended(event));
                    prop_assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
                    prop_assert!(!out.contains(&b'\n') && !out.contains(&b'\r'));
                }
            }
            drop(snapshot(&body, Timestamp(0)));
        }

        #[test]
        fn any_text_like_json_is_an_event_or_is_refused(body in "[\\[\\]{}:,\"0-9a-z \\\\]{0,80}") {
            drop((events(body.as_bytes()), appends(body.as_bytes())));
        }
    }
}
