//! Messages of `kurrentdb.protocol.v2.streams.StreamsService`, and the details of its errors.

use super::shared::AnyMessage;
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AppendRequest {
    #[prost(string, tag = "1")]
    pub(crate) stream: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) records: Vec<AppendRecord>,
    #[prost(sint64, optional, tag = "3")]
    pub(crate) expected_revision: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AppendRecord {
    #[prost(string, optional, tag = "1")]
    pub(crate) record_id: Option<String>,
    #[prost(btree_map = "string, message", tag = "2")]
    pub(crate) properties: BTreeMap<String, Property>,
    #[prost(message, optional, tag = "3")]
    pub(crate) schema: Option<SchemaInfo>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) data: Vec<u8>,
    /// Only in `AppendRecordsRequest`.
    #[prost(string, tag = "5")]
    pub(crate) stream: String,
}

/// `google.protobuf.Value`, of which clients send texts only.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Property {
    #[prost(string, optional, tag = "3")]
    pub(crate) string_value: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SchemaInfo {
    #[prost(int32, tag = "1")]
    pub(crate) format: i32,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
}

impl SchemaInfo {
    /// The format that means JSON.
    pub(crate) const JSON: i32 = 1;
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AppendSessionResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) output: Vec<AppendResponse>,
    #[prost(sint64, tag = "2")]
    pub(crate) position: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AppendResponse {
    #[prost(string, tag = "1")]
    pub(crate) stream: String,
    #[prost(sint64, tag = "2")]
    pub(crate) stream_revision: i64,
    #[prost(sint64, optional, tag = "3")]
    pub(crate) position: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AppendRecordsRequest {
    #[prost(message, repeated, tag = "1")]
    pub(crate) records: Vec<AppendRecord>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) checks: Vec<ConsistencyCheck>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConsistencyCheck {
    #[prost(message, optional, tag = "1")]
    pub(crate) stream_state: Option<StreamStateCheck>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamStateCheck {
    #[prost(string, tag = "1")]
    pub(crate) stream: String,
    #[prost(sint64, tag = "2")]
    pub(crate) expected_state: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AppendRecordsResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) revisions: Vec<StreamRevision>,
    #[prost(sint64, tag = "2")]
    pub(crate) position: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamRevision {
    #[prost(string, tag = "1")]
    pub(crate) stream: String,
    #[prost(sint64, tag = "2")]
    pub(crate) revision: i64,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RichStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<AnyMessage>,
}

/// `StreamTombstonedErrorDetails` and `StreamAlreadyInAppendSessionErrorDetails`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct OfStream {
    #[prost(string, tag = "1")]
    pub(crate) stream: String,
}

/// `StreamRevisionConflictErrorDetails`, and what a check found.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamConflict {
    #[prost(string, tag = "1")]
    pub(crate) stream: String,
    #[prost(sint64, tag = "2")]
    pub(crate) expected: i64,
    #[prost(sint64, tag = "3")]
    pub(crate) actual: i64,
}

/// `AppendConsistencyViolationErrorDetails`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Violations {
    #[prost(message, repeated, tag = "1")]
    pub(crate) violations: Vec<Violation>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Violation {
    #[prost(int32, tag = "1")]
    pub(crate) check_index: i32,
    #[prost(message, optional, tag = "2")]
    pub(crate) stream_state: Option<StreamConflict>,
}

/// `AppendTransactionSizeExceededErrorDetails`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct SizeExceeded {
    #[prost(int32, tag = "1")]
    pub(crate) size: i32,
    #[prost(int32, tag = "2")]
    pub(crate) max_size: i32,
}

/// `AppendRecordSizeExceededErrorDetails`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RecordSizeExceeded {
    #[prost(string, tag = "1")]
    pub(crate) stream: String,
    #[prost(string, tag = "2")]
    pub(crate) record_id: String,
    #[prost(int32, tag = "3")]
    pub(crate) size: i32,
    #[prost(int32, tag = "4")]
    pub(crate) max_size: i32,
}
