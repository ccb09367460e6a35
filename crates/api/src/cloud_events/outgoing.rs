//! Events of a ledger as CloudEvents.

use super::attributes::{PLACES, RELATIONS, SPEC_VERSION, is_name, is_value};
use crate::{json_out, segment::encode};
use fairway_ledger::{Data, Event};
use serde_json::{Map, Value};

/// The attributes of an event, in the order in which they are written.
pub(super) struct Outgoing {
    pub(super) attributes: Vec<(String, Value)>,
    /// Whether it came as a CloudEvent.
    is_cloud_event: bool,
}

impl Outgoing {
    pub(super) fn of(event: &Event) -> Self {
        let metadata = match &event.metadata {
            Data::Json(json) => serde_json::from_str(json.as_str()).ok(),
            Data::Bytes(_) => None,
        };
        let mut metadata: Map<String, Value> = metadata.unwrap_or_default();
        let is_cloud_event =
            metadata.remove("specversion").is_some_and(|version| version == SPEC_VERSION);
        let id = event.id.to_string();
        let mut attributes: Vec<(String, Value)> = vec![
            ("specversion".to_owned(), SPEC_VERSION.into()),
            ("type".to_owned(), event.kind.as_str().into()),
        ];
        if is_cloud_event {
            let id = metadata.remove("id").unwrap_or_else(|| id.into());
            attributes.push(("id".to_owned(), id));
        } else {
            attributes.push(("id".to_owned(), id.into()));
            attributes.extend(derived(event, &metadata));
        }
        for (name, value) in metadata {
            let is_new = attributes.iter().all(|(known, _)| *known != name);
            if is_new && is_name(&name) && is_value(&value) {
                attributes.push((name, value));
            }
        }
        attributes.extend(places(event));
        Self { attributes, is_cloud_event }
    }

    /// The data, if there are any.
    pub(super) fn data<'a>(&self, event: &'a Event) -> Option<&'a Data> {
        let is_nothing = match &event.data {
            Data::Json(json) => json.as_str() == "null",
            Data::Bytes(bytes) => bytes.is_empty(),
        };
        (!self.is_cloud_event || !is_nothing).then_some(&event.data)
    }
}

/// Attributes of an event that did not come as a CloudEvent.
fn derived(event: &Event, metadata: &Map<String, Value>) -> Vec<(String, Value)> {
    let source = format!("/v1/streams/{}", encode(event.stream.as_str()));
    let content = match event.data {
        Data::Json(_) => "application/json",
        Data::Bytes(_) => "application/octet-stream",
    };
    let mut attributes = vec![
        ("source".to_owned(), source.into()),
        ("subject".to_owned(), event.stream.as_str().into()),
        ("time".to_owned(), json_out::moment(event.recorded).into()),
        ("datacontenttype".to_owned(), content.into()),
    ];
    for (attribute, name) in RELATIONS {
        if let Some(Value::String(value)) = metadata.get(name) {
            attributes.push((attribute.to_owned(), value.as_str().into()));
        }
    }
    attributes
}

/// Where the event is. Positions have more bits than numbers of CloudEvents, so that they are texts.
fn places(event: &Event) -> [(String, Value); 3] {
    let [position, stream, version] = PLACES;
    [
        (position.to_owned(), event.position.to_string().into()),
        (stream.to_owned(), event.stream.as_str().into()),
        (version.to_owned(), event.version.to_string().into()),
    ]
}

/// Writes an event as a CloudEvent in JSON, on one line.
pub(crate) fn write(out: &mut Vec<u8>, event: &Event) {
    let outgoing = Outgoing::of(event);
    out.push(b'{');
    for (at, (name, value)) in outgoing.attributes.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json_out::text(out, name);
        out.push(b':');
        match value {
            Value::String(text) => json_out::text(out, text),
            other => out.extend_from_slice(other.to_string().as_bytes()),
        }
    }
    if let Some(data) = outgoing.data(event) {
        json_out::data(out, "data", data);
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cloud_events::structured, given::appended};
    use fairway_ledger::{EventId, Kind, NewEvent};
    use proptest::prelude::*;
    use serde_json::json;

    fn written(event: &Event) -> Value {
        let mut out = Vec::new();
        write(&mut out, event);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn an_event_gets_attributes_of_what_is_known() {
        let metadata = json!({ "$correlationId": "c", "traceparent": "00", "by": { "a": 1 } });
        let event = NewEvent::new("paid", &json!({ "sum": 1 })).unwrap();
        assert_eq!(
            written(&appended(event.with_metadata(&metadata).unwrap())),
            json!({
                "specversion": "1.0", "type": "paid", "id": EventId([7; 16]),
                "source": "/v1/streams/shop%2Forder-7", "subject": "shop/order-7",
                "time": "2023-11-14T22:13:20.000Z", "datacontenttype": "application/json",
                "correlationid": "c", "traceparent": "00", "fairwayposition": "9",
                "fairwaystream": "shop/order-7", "fairwayversion": "2", "data": { "sum": 1 },
            })
        );
    }

    proptest! {
        #[test]
        fn a_cloud_event_goes_out_as_it_came_in(
            id in "\\PC{1,40}",
            source in "\\PC{1,40}",
            kind in "\\PC{1,30}",
            subject in proptest::option::of("\\PC{1,20}"),
            extensions in prop::collection::btree_map("[a-z0-9]{1,20}", "\\PC{0,20}", 0..5),
            data in proptest::option::of("\\PC{0,40}"),
        ) {
            let mut event = json!({ "specversion": "1.0", "id": id, "source": source, "type": kind });
            let extensions = extensions.into_iter().map(|(name, value)| (format!("x{name}"), value));
            let extensions = extensions.chain(subject.map(|subject| ("subject".to_owned(), subject)));
            for (name, value) in extensions.chain(data.map(|data| ("data".to_owned(), data))) {
                event[name] = value.into();
            }
            prop_assume!(kind.parse::<Kind>().is_ok());
            let text = event.to_string();
            let mut back = written(&appended(structured(text.as_bytes()).unwrap()));
            for place in PLACES {
                back.as_object_mut().unwrap().remove(place);
            }
            prop_assert_eq!(back, event);
        }
    }
}
