//! CloudEvents in binary mode: attributes in headers, data in the body (HTTP protocol binding,
//! section 3.1).

use super::{
    attributes::{Attributes, CloudEventError, is_json},
    outgoing::Outgoing,
};
use crate::{answer, json_in, segment};
use axum::response::Response;
use fairway_ledger::{Data, Event, NewEvent};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONTENT_TYPE, HeaderMap as Headers},
};
use serde_json::Value;
use std::borrow::Cow;

/// How the names of headers that hold attributes begin.
const PREFIX: &str = "ce-";

/// Whether a request is one CloudEvent in binary mode.
pub(crate) fn is_binary(headers: &HeaderMap) -> bool {
    headers.contains_key("ce-specversion")
}

/// The event of a request in binary mode.
pub(crate) fn from_headers(headers: &HeaderMap, body: &[u8]) -> Result<NewEvent, CloudEventError> {
    let mut attributes = Attributes::default();
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix(PREFIX) else { continue };
        let wrong = || CloudEventError::Value(name.to_owned());
        if name == "datacontenttype" {
            return Err(CloudEventError::Name(name.to_owned()));
        }
        let text = std::str::from_utf8(value.as_bytes()).map_err(|_| wrong())?;
        let text = segment::decode(&unquoted(text)).ok_or_else(wrong)?;
        attributes.add(name, text.into())?;
    }
    if let Some(content) = headers.get(CONTENT_TYPE) {
        let wrong = || CloudEventError::Value("datacontenttype".to_owned());
        attributes.add("datacontenttype", content.to_str().map_err(|_| wrong())?.into())?;
    }
    let data = data(attributes.content(), body)?;
    attributes.event(data)
}

/// A text in double quotes as it is meant (RFC 9110, section 5.6.4): earlier versions of the binding
/// sent it so, and receivers have to take it (section 3.1.3.2).
fn unquoted(text: &str) -> Cow<'_, str> {
    let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let Some(inside) = inside else { return text.into() };
    let mut meant = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => meant.extend(characters.next()),
            other => meant.push(other),
        }
    }
    meant.into()
}

/// Data of a type.
fn data(content: Option<&str>, body: &[u8]) -> Result<Data, CloudEventError> {
    if !is_json(content) {
        return Ok(Data::Bytes(body.to_vec()));
    }
    if body.is_empty() {
        return Ok(Data::trusted_json("null".to_owned()));
    }
    let text = std::str::from_utf8(body).map_err(|error| CloudEventError::Data(error.to_string()));
    Ok(json_in::json(text?).map_err(|error| CloudEventError::Data(error.to_string()))?.into())
}

/// A response that is one CloudEvent in binary mode.
pub(crate) fn to_response(event: &Event) -> Response {
    let outgoing = Outgoing::of(event);
    let content = outgoing.attributes.iter().find(|(name, _)| name == "datacontenttype");
    let content = content.and_then(|(_, value)| value.as_str()).map(str::to_owned);
    let body = match outgoing.data(event) {
        None => Vec::new(),
        Some(data) => payload(data, content.as_deref()),
    };
    let mut response = answer::typed(StatusCode::OK, crate::form::JSON, body);
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    for (name, value) in &outgoing.attributes {
        add(headers, name, value);
    }
    if content.is_none() && outgoing.data(event).is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(crate::form::JSON));
    }
    response
}

/// The bytes of the data: of a text that is not JSON, the text itself.
fn payload(data: &Data, content: Option<&str>) -> Vec<u8> {
    if !is_json(content)
        && let Some(json) = data.as_json()
        && let Ok(Value::String(text)) = serde_json::from_str(json)
    {
        return text.into_bytes();
    }
    data.as_bytes().to_vec()
}

fn add(headers: &mut Headers, name: &str, value: &Value) {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let (name, value) = if name == "datacontenttype" {
        (Ok(CONTENT_TYPE), HeaderValue::try_from(text))
    } else {
        let name = HeaderName::try_from(format!("{PREFIX}{name}"));
        (name, HeaderValue::try_from(segment::encode_header(&text)))
    };
    // Only a content type that came in JSON can be what no header can be.
    if let (Ok(name), Ok(value)) = (name, value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cloud_events::structured, given::appended};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn text_that_came_in_json_goes_out_as_text() {
        let event = json!({
            "specversion": "1.0", "id": "1", "source": "/s", "type": "t",
            "datacontenttype": "text/plain", "data": "hä",
        });
        let event = appended(structured(event.to_string().as_bytes()).unwrap());
        let response = to_response(&event);
        assert_eq!(response.headers()["content-type"], "text/plain");
        assert_eq!(payload(&event.data, Some("text/plain")), "hä".as_bytes());
    }

    #[test]
    fn quoted_values_are_taken_as_they_are_meant() {
        let meant = [
            (r#""a b""#, "a b"),
            (r#""a \"b\" \\ c""#, r#"a "b" \ c"#),
            (r#""100%25""#, "100%25"),
            (r#"a "b""#, r#"a "b""#),
            (r#"""#, r#"""#),
            (r#""""#, ""),
        ];
        for (sent, meant) in meant {
            assert_eq!(unquoted(sent), meant, "{sent}");
        }
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("ce-specversion", "1.0"),
            ("ce-id", r#""A 1""#),
            ("ce-type", "t"),
            ("ce-source", "/s"),
            ("ce-subject", r#""caf%C3%A9 \"noir\"""#),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let event = from_headers(&headers, b"").unwrap();
        let metadata: Value = serde_json::from_str(event.metadata.as_json().unwrap()).unwrap();
        assert_eq!(
            (&metadata["id"], &metadata["subject"]),
            (&json!("A 1"), &json!("café \"noir\""))
        );
    }

    proptest! {
        #[test]
        fn what_comes_in_headers_goes_out_in_them(
            source in "\\PC{1,40}",
            subject in "[ -~]{1,20}",
            body in prop::collection::vec(any::<u8>(), 0..50),
        ) {
            let mut headers = HeaderMap::new();
            let all = [
                ("ce-specversion", "1.0"), ("ce-id", "A 1"), ("ce-type", "t"),
                ("ce-source", &source), ("ce-subject", &subject),
            ];
            for (name, value) in all {
                let value = HeaderValue::try_from(segment::encode_header(value)).unwrap();
                headers.insert(HeaderName::from_static(name), value);
            }
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-bytes"));
            let event = appended(from_headers(&headers, &body).unwrap());
            prop_assert_eq!(event.data.as_bytes(), &body[..]);
            let response = to_response(&event);
            for (name, value) in &headers {
                prop_assert_eq!(response.headers().get(name), Some(value));
            }
        }

        #[test]
        fn any_headers_and_body_are_a_cloud_event_or_are_refused(
            value in "[ -~]{0,40}",
            body in prop::collection::vec(any::<u8>(), 0..50),
        ) {
            let mut headers = HeaderMap::new();
            headers.insert("ce-specversion", HeaderValue::from_static("1.0"));
            headers.insert("ce-id", HeaderValue::try_from(value).unwrap());
            prop_assert!(from_headers(&headers, &body).is_err());
        }
    }
}
