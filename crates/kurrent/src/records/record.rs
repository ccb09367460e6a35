//! Events as the second protocol has them.

use crate::{
    proposed::check_system,
    status,
    wire::records::{AppendRecord, SchemaInfo},
};
use fairway_ledger::{Data, Expected, Json, NewEvent, StreamName, Version};
use std::collections::BTreeMap;
use tonic::Status;

/// Makes an event for a stream.
pub(crate) fn event(record: AppendRecord, stream: &StreamName) -> Result<NewEvent, Status> {
    let AppendRecord { record_id, properties, schema, data, .. } = record;
    let SchemaInfo { format, name } = schema.unwrap_or_default();
    let data =
        if format == SchemaInfo::JSON { Data::json_or_bytes(data) } else { Data::Bytes(data) };
    let texts = properties.into_iter().map(|(name, property)| {
        let text = property.string_value;
        text.map(|text| (name, text)).ok_or_else(|| status::invalid("a property is not a text"))
    });
    let texts: BTreeMap<String, String> = texts.collect::<Result<_, _>>()?;
    let metadata = if texts.is_empty() {
        Data::Bytes(Vec::new())
    } else {
        Json::of(&texts).map_err(status::invalid)?.into()
    };
    let id = record_id.map(|id| id.parse()).transpose().map_err(status::invalid)?;
    let event = NewEvent { id, kind: name.parse().map_err(status::invalid)?, data, metadata };
    check_system(&event, stream)?;
    Ok(event)
}

/// Reads what is expected of a stream; without a word about it, anything is.
pub(crate) fn expected(number: Option<i64>) -> Result<Expected, Status> {
    match number {
        None | Some(-2) => Ok(Expected::Any),
        Some(-1) => Ok(Expected::NoStream),
        Some(-4) => Ok(Expected::Exists),
        Some(revision) => {
            let version = u64::try_from(revision).ok().and_then(|revision| revision.checked_add(1));
            let version = version.filter(|version| *version < Version::END.0);
            let version = version
                .ok_or_else(|| status::invalid(format!("`{revision}` is not a revision")))?;
            Ok(Expected::Exact(Version(version)))
        }
    }
}
