//! Sets as Docker and OCI write them: an object with an empty object for each member.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Serialize, Deserialize)]
struct Member {}

pub(crate) fn serialize<S: Serializer>(
    set: &BTreeSet<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(set.iter().map(|name| (name, Member {})))
}

#[expect(clippy::zero_sized_map_values, reason = "this is the form on the wire")]
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeSet<String>, D::Error> {
    let members = Option::<BTreeMap<String, Member>>::deserialize(deserializer)?;
    Ok(members.unwrap_or_default().into_keys().collect())
}
