//! CloudEvents in JSON: one in structured mode, or a batch.

use super::attributes::{Attributes, CloudEventError};
use crate::json_in;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fairway_ledger::{Data, NewEvent};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::collections::BTreeMap;

/// The members of a CloudEvent.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// One CloudEvent.
pub(crate) fn structured(body: &[u8]) -> Result<NewEvent, CloudEventError> {
    event(&parse(body)?)
}

/// A batch of CloudEvents.
pub(crate) fn batch(body: &[u8]) -> Result<Vec<NewEvent>, CloudEventError> {
    let all: Vec<Members<'_>> = parse(body)?;
    all.iter().map(event).collect()
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, CloudEventError> {
    serde_json::from_slice(body).map_err(|error| CloudEventError::Json(error.to_string()))
}

fn event(members: &Members<'_>) -> Result<NewEvent, CloudEventError> {
    let mut attributes = Attributes::default();
    for (name, value) in members {
        if !matches!(name.as_str(), "data" | "data_base64") {
            let value = serde_json::from_str(value.get());
            attributes.add(name, value.map_err(|_| CloudEventError::Value(name.clone()))?)?;
        }
    }
    let present = |name: &str| members.get(name).filter(|value| value.get() != "null");
    let data = match (present("data"), present("data_base64")) {
        (Some(_), Some(_)) => return Err(CloudEventError::Twice),
        (Some(json), None) => {
            let json = json_in::json(json.get());
            json.map_err(|error| CloudEventError::Data(error.to_string()))?.into()
        }
        (None, Some(text)) => bytes(text)?,
        (None, None) => Data::trusted_json("null".to_owned()),
    };
    attributes.event(data)
}

fn bytes(text: &RawValue) -> Result<Data, CloudEventError> {
    let wrong = || CloudEventError::Value("data_base64".to_owned());
    let Ok(Value::String(text)) = serde_json::from_str(text.get()) else { return Err(wrong()) };
    STANDARD.decode(text).map(Data::Bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cloud_events::write, damage::damaged, given::appended};
    use proptest::prelude::*;

    #[test]
    fn attributes_are_kept_in_metadata() {
        let body = br#"{"specversion":"1.0","id":"A-1","source":"/shop","type":"paid",
            "subject":"7","time":"2026-03-01T12:00:00+01:00","traceparent":"00-a-b-01",
            "correlationid":"c-1","retries":3,"fairwayposition":"9","data":{"sum": 1.10}}"#;
        let event = structured(body).unwrap();
        assert_eq!((event.kind.as_str(), event.data.as_json()), ("paid", Some(r#"{"sum": 1.10}"#)));
        assert_eq!(
            event.metadata.as_json(),
            Some(
                "{\"$correlationId\":\"c-1\",\"correlationid\":\"c-1\",\"id\":\"A-1\",\
                 \"retries\":3,\"source\":\"/shop\",\"specversion\":\"1.0\",\"subject\":\"7\",\
                 \"time\":\"2026-03-01T12:00:00+01:00\",\"traceparent\":\"00-a-b-01\"}"
            )
        );
    }

    #[test]
    fn what_is_no_cloud_event_is_refused() {
        let with = |member: &str| {
            let start = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t""#;
            format!("{start}{member}}}").into_bytes()
        };
        assert!(structured(&with("")).is_ok());
        let bad = [
            r#","specversion":"0.3""#,
            r#","id":"""#,
            r#","Bad":"x""#,
            r#","a-b":"x""#,
            r#","ext":{}"#,
            r#","ext":1.5"#,
            r#","ext":5000000000"#,
            r#","time":"now""#,
            r#","data":1,"data_base64":"AA==""#,
            r#","data_base64":"?""#,
            r#","subject":7"#,
        ];
        for bad in bad {
            assert!(structured(&with(bad)).is_err(), "{bad}");
        }
        let deep = [&with(",\"data\":")[..], "[".repeat(100_000).as_bytes()].concat();
        assert!(structured(&deep).is_err() && batch(b"{}").is_err());
    }

    /// Bodies of both forms that are what is wanted.
    fn bodies() -> Vec<Vec<u8>> {
        let event = r#"{"specversion":"1.0","id":"A-1","source":"/shop","type":"paid",
            "subject":"7","time":"2026-03-01T12:00:00+01:00","datacontenttype":"application/json",
            "correlationid":"c-1","retries":3,"urgent":true,"data":{"sum": 1.10}}"#;
        let bytes =
            r#"{"specversion":"1.0","id":"2","source":"/s","type":"t","data_base64":"AP8="}"#;
        [event.to_owned(), bytes.to_owned(), format!("[{event},{bytes}]")]
            .map(String::into_bytes)
            .to_vec()
    }

    #[test]
    fn undamaged_bodies_are_taken() {
        let [one, bytes, several] = &bodies()[..] else { panic!("three") };
        assert!(structured(one).is_ok() && structured(bytes).is_ok());
        assert_eq!(batch(several).unwrap().len(), 2);
    }

    proptest! {
        #[test]
        fn what_is_taken_of_damaged_cloud_events_is_taken_again(body in damaged(bodies())) {
            let one = structured(&body).map(|event| vec![event]);
            for taken in [one, batch(&body)].into_iter().flatten() {
                for event in taken {
                    let event = appended(event);
                    let mut out = Vec::new();
                    write(&mut out, &event);
                    let again = appended(structured(&out).unwrap());
                    prop_assert_eq!((&again.id, &again.kind), (&event.id, &event.kind));
                    prop_assert_eq!(&again.metadata, &event.metadata);
                }
            }
        }

        #[test]
        fn any_bytes_are_a_cloud_event_or_are_refused(
            body in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            prop_assert!(structured(&body).is_err() || batch(&body).is_err());
        }
    }
}
