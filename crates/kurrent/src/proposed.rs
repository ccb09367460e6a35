//! Events as clients send them.

use crate::{
    status,
    wire::shared::{ProposedMessage, Uuid, uuid},
};
use fairway_ledger::{Data, EventId, METADATA_KIND, NewEvent, StreamName, TOMBSTONE_KIND};
use serde_json::Value;
use tonic::Status;

/// The content type of JSON.
pub(crate) const JSON: &str = "application/json";
/// The content type of everything else.
pub(crate) const BYTES: &str = "application/octet-stream";

/// Makes an event for a stream.
pub(crate) fn event(message: ProposedMessage, stream: &StreamName) -> Result<NewEvent, Status> {
    let ProposedMessage { id, metadata, custom_metadata, data } = message;
    let (Some(kind), Some(content)) = (metadata.get("type"), metadata.get("content-type")) else {
        return Err(status::metadata_missing());
    };
    let data = if content == JSON { Data::json_or_bytes(data) } else { Data::Bytes(data) };
    let event = NewEvent {
        id: id.map(event_id).transpose()?,
        kind: kind.parse().map_err(status::invalid)?,
        data,
        metadata: Data::json_or_bytes(custom_metadata),
    };
    check_system(&event, stream)?;
    Ok(event)
}

/// A stream of metadata takes metadata only, and none but the ledger closes streams.
pub(crate) fn check_system(event: &NewEvent, stream: &StreamName) -> Result<(), Status> {
    if stream.is_about().is_none() {
        return match event.kind.as_str() {
            METADATA_KIND | TOMBSTONE_KIND => {
                Err(status::invalid(format!("`{}` is a kind for streams of metadata", event.kind)))
            }
            _ => Ok(()),
        };
    }
    if event.kind != METADATA_KIND {
        return Err(status::invalid(format!("`{stream}` takes events of kind `{METADATA_KIND}`")));
    }
    let data: Option<Value> = event.data.as_json().and_then(|text| serde_json::from_str(text).ok());
    if data.is_some_and(|data| data.is_object()) {
        Ok(())
    } else {
        Err(status::invalid("the metadata of a stream have to be a JSON object"))
    }
}

/// Reads an id in either form.
pub(crate) fn event_id(wire: Uuid) -> Result<EventId, Status> {
    match wire.value {
        Some(uuid::Value::String(text)) => text.parse().map_err(status::invalid),
        Some(uuid::Value::Structured(halves)) => {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&halves.most_significant_bits.to_be_bytes());
            bytes[8..].copy_from_slice(&halves.least_significant_bits.to_be_bytes());
            Ok(EventId(bytes))
        }
        None => Err(status::invalid("an id is empty")),
    }
}
