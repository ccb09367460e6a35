//! Sealing and opening snapshots: whole, under the keys of all subjects of their stream.

use crate::{error::SubjectError, key::Key};
use fairway_ledger::{Data, Snapshot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the bytes of a sealed snapshot begin.
const SEALED: &[u8] = b"\0sealed:1:";
/// Every layer opens only as a snapshot.
const CONTEXT: &[u8] = b"snapshot";

/// What is in front of the sealed bytes, as a line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) subjects: Vec<String>,
    is_json: bool,
}

/// Seals a snapshot under one key after the other.
pub(crate) fn seal(
    snapshot: Snapshot,
    keys: &BTreeMap<String, Key>,
) -> Result<Snapshot, SubjectError> {
    let is_json = snapshot.data.as_json().is_some();
    let label = Label { subjects: keys.keys().cloned().collect(), is_json };
    let mut sealed = snapshot.data.as_bytes().to_vec();
    for key in keys.values() {
        sealed = key.seal(&sealed, CONTEXT)?;
    }
    let label = serde_json::to_vec(&label).expect("a label is JSON");
    let data = Data::Bytes([SEALED, &label, b"\n", &sealed].concat());
    Ok(Snapshot { data, ..snapshot })
}

/// The label of a sealed snapshot and its sealed bytes; none if it is not sealed.
pub(crate) fn parts(snapshot: &Snapshot) -> Option<(Label, &[u8])> {
    let Data::Bytes(bytes) = &snapshot.data else { return None };
    let rest = bytes.strip_prefix(SEALED)?;
    let end = rest.iter().position(|&byte| byte == b'\n')?;
    Some((serde_json::from_slice(&rest[..end]).ok()?, &rest[end + 1..]))
}

/// Opens a sealed snapshot; none if one of its subjects is forgotten.
pub(crate) fn open(
    snapshot: &Snapshot,
    (label, sealed): (&Label, &[u8]),
    keys: &BTreeMap<String, Key>,
) -> Option<Snapshot> {
    let mut plain = sealed.to_vec();
    for subject in label.subjects.iter().rev() {
        plain = keys.get(subject)?.open(&plain, CONTEXT)?;
    }
    let data = if label.is_json {
        Data::trusted_json(String::from_utf8(plain).ok()?)
    } else {
        Data::Bytes(plain)
    };
    Some(Snapshot { data, ..snapshot.clone() })
}
