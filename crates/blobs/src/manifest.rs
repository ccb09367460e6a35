//! The manifest of a tree as bytes. There is exactly one way to write a tree, so equal trees have
//! equal digests; bytes written in another way are refused.
//!
//! After a header, per entry: kind (`d`, `f`, `l`), path (length as u16, bytes), then for `d` and
//! `f` the mode (u16), for `f` also size (u64) and SHA-256 (32 bytes), for `l` the target (length as
//! u16, bytes). Integers are little-endian.

use crate::{
    codec::{Decoder, Encoder},
    entry::{Entry, Mode, Node},
    tree_path::{PATH_MAX, TreePath},
};
use fairway_model::Digest;
use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

/// Most entries of a tree.
pub const ENTRIES_MAX: usize = 1_000_000;
/// Most bytes of a manifest.
pub const MANIFEST_MAX: u64 = 256 << 20;

const HEADER: &[u8] = b"fairway-tree 1\n";
const TRUNCATED: &str = "it ends within an entry";

pub(crate) fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut out = Encoder(Vec::with_capacity(HEADER.len() + entries.len() * 96));
    out.raw(HEADER);
    for entry in entries {
        encode_entry(&mut out, entry);
    }
    out.0
}

fn encode_entry(out: &mut Encoder, entry: &Entry) {
    let kind = match &entry.node {
        Node::Directory { .. } => b'd',
        Node::File { .. } => b'f',
        Node::Symlink { .. } => b'l',
    };
    out.raw(&[kind]);
    out.field(entry.path.as_bytes());
    match &entry.node {
        Node::Directory { mode } => out.raw(&mode_bytes(*mode)),
        Node::File { mode, size, digest } => {
            out.raw(&mode_bytes(*mode));
            out.u64(*size);
            out.raw(digest.as_bytes());
        }
        Node::Symlink { target } => out.field(target.as_bytes()),
    }
}

fn mode_bytes(mode: Mode) -> [u8; 2] {
    u16::try_from(mode.bits()).expect("permissions have nine bits").to_le_bytes()
}

/// Reads entries back. Their order and parents are for the tree to check.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let rest = bytes.strip_prefix(HEADER).ok_or("it does not start like a manifest")?;
    let mut fields = Decoder(rest);
    let mut entries = Vec::new();
    while !fields.is_empty() {
        if entries.len() == ENTRIES_MAX {
            return Err(format!("it has more than {ENTRIES_MAX} entries"));
        }
        entries.push(decode_entry(&mut fields)?);
    }
    Ok(entries)
}

fn decode_entry(fields: &mut Decoder<'_>) -> Result<Entry, String> {
    let [kind] = fields.array().ok_or(TRUNCATED)?;
    let path = fields.field().ok_or(TRUNCATED)?;
    let path = TreePath::new(OsStr::from_bytes(path))
        .map_err(|error| format!("path `{}`: {error}", path.escape_ascii()))?;
    let node = match kind {
        b'd' => Node::Directory { mode: decode_mode(fields)? },
        b'f' => Node::File {
            mode: decode_mode(fields)?,
            size: fields.u64().ok_or(TRUNCATED)?,
            digest: Digest::from_bytes(fields.array().ok_or(TRUNCATED)?),
        },
        b'l' => Node::Symlink { target: decode_target(fields)?.to_owned() },
        _ => return Err(format!("`{path}` is of the unknown kind {kind}")),
    };
    Ok(Entry { path, node })
}

fn decode_mode(fields: &mut Decoder<'_>) -> Result<Mode, String> {
    let raw = u32::from(u16::from_le_bytes(fields.array().ok_or(TRUNCATED)?));
    let mode = Mode::of(raw);
    if mode.bits() == raw {
        Ok(mode)
    } else {
        Err(format!("mode {raw:#o} is more than permissions"))
    }
}

fn decode_target<'a>(fields: &mut Decoder<'a>) -> Result<&'a OsStr, String> {
    let target = fields.field().ok_or(TRUNCATED)?;
    if is_link_target(target) {
        Ok(OsStr::from_bytes(target))
    } else {
        Err("a link's target is empty, too long or has a NUL byte".to_owned())
    }
}

/// Whether the system could keep this text in a symbolic link.
pub(crate) fn is_link_target(target: &[u8]) -> bool {
    !target.is_empty() && target.len() < PATH_MAX && !target.contains(&0)
}
