//! The form of a record: a header of 16 bytes (kind, three zero bytes, length and milliseconds
//! since 1970, little-endian), then the text.

use fairway_engine::LogStream;
use fairway_model::Timestamp;

/// The size of a header in bytes.
pub(crate) const HEADER: usize = 16;
/// Longest text of one record; longer lines come in pieces.
pub(crate) const LINE_MAX: usize = 16 << 10;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record {
    /// A line.
    Line(LogStream),
    /// The end of what is kept; its text is the number of dropped bytes, rewritten as it grows.
    Cut,
}

/// The header of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) record: Record,
    pub(crate) length: usize,
    pub(crate) at: Timestamp,
}

impl Header {
    /// Its bytes.
    pub(crate) fn encode(&self) -> [u8; HEADER] {
        let length = u32::try_from(self.length).expect("a record is at most LINE_MAX long");
        let mut bytes = [0; HEADER];
        bytes[0] = match self.record {
            Record::Line(LogStream::Stdout) => 1,
            Record::Line(LogStream::Stderr) => 2,
            Record::Cut => 3,
        };
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        bytes[8..].copy_from_slice(&self.at.0.to_le_bytes());
        bytes
    }

    /// Reads it; `None` if these bytes are not one.
    pub(crate) fn decode(bytes: &[u8; HEADER]) -> Option<Self> {
        let record = match bytes[0] {
            1 => Record::Line(LogStream::Stdout),
            2 => Record::Line(LogStream::Stderr),
            3 => Record::Cut,
            _ => return None,
        };
        let length = u32::from_le_bytes(bytes[4..8].try_into().ok()?);
        let length = usize::try_from(length).ok().filter(|length| *length <= LINE_MAX)?;
        let at = Timestamp(u64::from_le_bytes(bytes[8..].try_into().ok()?));
        Some(Self { record, length, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_header_within_limits_or_none(bytes: [u8; HEADER]) {
            if let Some(header) = Header::decode(&bytes) {
                prop_assert!(header.length <= LINE_MAX);
                prop_assert_eq!(Header::decode(&header.encode()), Some(header));
            }
        }
    }
}
