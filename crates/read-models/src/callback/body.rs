//! Events as the body of a request.

use crate::moment;
use base64::{Engine, engine::general_purpose::STANDARD};
use fairway_ledger::{Data, Event};
use serde::Serialize;
use serde_json::value::RawValue;

/// An event as it is told.
#[derive(Serialize)]
struct Told<'e> {
    position: u64,
    stream: &'e str,
    version: u64,
    id: String,
    kind: &'e str,
    recorded: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'e RawValue>,
    /// Data that are not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'e RawValue>,
    /// Metadata that are not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_base64: Option<String>,
}

/// A JSON array of events.
pub(super) fn of(events: &[&Event]) -> Result<Vec<u8>, serde_json::Error> {
    let told: Vec<Told> = events.iter().map(|event| told(event)).collect();
    serde_json::to_vec(&told)
}

fn told(event: &Event) -> Told<'_> {
    let (data, metadata) = (json(&event.data), json(&event.metadata));
    Told {
        position: event.position.0,
        stream: event.stream.as_str(),
        version: event.version.0,
        id: event.id.to_string(),
        kind: event.kind.as_str(),
        recorded: moment::iso(event.recorded),
        data,
        data_base64: data.is_none().then(|| STANDARD.encode(event.data.as_bytes())),
        metadata,
        metadata_base64: metadata.is_none().then(|| STANDARD.encode(event.metadata.as_bytes())),
    }
}

fn json(data: &Data) -> Option<&RawValue> {
    serde_json::from_str(data.as_json()?).ok()
}
