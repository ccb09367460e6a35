//! Messages that several services use (package `event_store.client`, and Google's own).

use std::collections::BTreeMap;

/// A UUID, in two halves or as text.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Uuid {
    #[prost(oneof = "uuid::Value", tags = "1, 2")]
    pub(crate) value: Option<uuid::Value>,
}

pub(crate) mod uuid {
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(crate) enum Value {
        #[prost(message, tag = "1")]
        Structured(Structured),
        #[prost(string, tag = "2")]
        String(String),
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Structured {
        #[prost(int64, tag = "1")]
        pub(crate) most_significant_bits: i64,
        #[prost(int64, tag = "2")]
        pub(crate) least_significant_bits: i64,
    }
}

/// In which form a reader wants ids.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct UuidOption {
    #[prost(oneof = "uuid_option::Content", tags = "1, 2")]
    pub(crate) content: Option<uuid_option::Content>,
}

pub(crate) mod uuid_option {
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(crate) enum Content {
        #[prost(message, tag = "1")]
        Structured(()),
        #[prost(message, tag = "2")]
        String(()),
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamIdentifier {
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) stream_name: Vec<u8>,
}

/// Positions of `$all`; `AllStreamPosition` and several messages named `Position` are all alike.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Position {
    #[prost(uint64, tag = "1")]
    pub(crate) commit_position: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) prepare_position: u64,
}

/// What has to be true of a stream, in all requests that change one.
#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub(crate) enum ExpectedRevision {
    #[prost(uint64, tag = "2")]
    Revision(u64),
    #[prost(message, tag = "3")]
    NoStream(()),
    #[prost(message, tag = "4")]
    Any(()),
    #[prost(message, tag = "5")]
    StreamExists(()),
}

/// A filter of `$all`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct FilterOptions {
    #[prost(oneof = "filter_options::Filter", tags = "1, 2")]
    pub(crate) filter: Option<filter_options::Filter>,
    #[prost(oneof = "filter_options::Window", tags = "3, 4")]
    pub(crate) window: Option<filter_options::Window>,
    #[prost(uint32, tag = "5")]
    pub(crate) checkpoint_interval_multiplier: u32,
}

pub(crate) mod filter_options {
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(crate) enum Filter {
        #[prost(message, tag = "1")]
        StreamIdentifier(Expression),
        #[prost(message, tag = "2")]
        EventType(Expression),
    }

    #[derive(Clone, Copy, PartialEq, prost::Oneof)]
    pub(crate) enum Window {
        #[prost(uint32, tag = "3")]
        Max(u32),
        #[prost(message, tag = "4")]
        Count(()),
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Expression {
        #[prost(string, tag = "1")]
        pub(crate) regex: String,
        #[prost(string, repeated, tag = "2")]
        pub(crate) prefix: Vec<String>,
    }
}

/// An event as it is appended.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ProposedMessage {
    #[prost(message, optional, tag = "1")]
    pub(crate) id: Option<Uuid>,
    #[prost(btree_map = "string, string", tag = "2")]
    pub(crate) metadata: BTreeMap<String, String>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) custom_metadata: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub(crate) data: Vec<u8>,
}

/// An event as it is read.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RecordedEvent {
    #[prost(message, optional, tag = "1")]
    pub(crate) id: Option<Uuid>,
    #[prost(message, optional, tag = "2")]
    pub(crate) stream_identifier: Option<StreamIdentifier>,
    #[prost(uint64, tag = "3")]
    pub(crate) stream_revision: u64,
    #[prost(uint64, tag = "4")]
    pub(crate) prepare_position: u64,
    #[prost(uint64, tag = "5")]
    pub(crate) commit_position: u64,
    #[prost(btree_map = "string, string", tag = "6")]
    pub(crate) metadata: BTreeMap<String, String>,
    #[prost(bytes = "vec", tag = "7")]
    pub(crate) custom_metadata: Vec<u8>,
    #[prost(bytes = "vec", tag = "8")]
    pub(crate) data: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SubscriptionConfirmation {
    #[prost(string, tag = "1")]
    pub(crate) subscription_id: String,
}

/// `google.protobuf.Timestamp` and `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Seconds {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AnyMessage {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
}

/// Details of a failed batch.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct WrongExpectedVersion {
    #[prost(oneof = "wrong_expected_version::Current", tags = "1, 2")]
    pub(crate) current: Option<wrong_expected_version::Current>,
    #[prost(oneof = "wrong_expected_version::Expected", tags = "3, 4, 5, 6")]
    pub(crate) expected: Option<wrong_expected_version::Expected>,
}

pub(crate) mod wrong_expected_version {
    #[derive(Clone, Copy, PartialEq, prost::Oneof)]
    pub(crate) enum Current {
        #[prost(uint64, tag = "1")]
        Revision(u64),
        #[prost(message, tag = "2")]
        NoStream(()),
    }

    #[derive(Clone, Copy, PartialEq, prost::Oneof)]
    pub(crate) enum Expected {
        #[prost(uint64, tag = "3")]
        Revision(u64),
        #[prost(message, tag = "4")]
        Any(()),
        #[prost(message, tag = "5")]
        StreamExists(()),
        #[prost(message, tag = "6")]
        NoStream(()),
    }
}

/// Details of a failed batch.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamDeleted {
    #[prost(message, optional, tag = "1")]
    pub(crate) stream_identifier: Option<StreamIdentifier>,
}

/// Details of a failed batch.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct MaximumAppendSizeExceeded {
    #[prost(uint32, tag = "1")]
    pub(crate) max_append_size: u32,
}

/// Details of a failed batch.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BadRequest {
    #[prost(string, tag = "1")]
    pub(crate) message: String,
}
