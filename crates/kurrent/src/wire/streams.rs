//! Messages of `event_store.client.streams.Streams`.

use super::shared::{
    AnyMessage, ExpectedRevision, FilterOptions, Position, ProposedMessage, RecordedEvent, Seconds,
    StreamIdentifier, SubscriptionConfirmation, Uuid, UuidOption,
};

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadReq {
    #[prost(message, optional, tag = "1")]
    pub(crate) options: Option<ReadOptions>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadOptions {
    #[prost(oneof = "read_options::Stream", tags = "1, 2")]
    pub(crate) stream: Option<read_options::Stream>,
    #[prost(int32, tag = "3")]
    pub(crate) read_direction: i32,
    #[prost(bool, tag = "4")]
    pub(crate) resolve_links: bool,
    #[prost(oneof = "read_options::Count", tags = "5, 6")]
    pub(crate) count: Option<read_options::Count>,
    #[prost(oneof = "read_options::Filter", tags = "7, 8")]
    pub(crate) filter: Option<read_options::Filter>,
    #[prost(message, optional, tag = "9")]
    pub(crate) uuid_option: Option<UuidOption>,
}

pub(crate) mod read_options {
    use super::{AllOptions, FilterOptions, StreamOptions};

    /// The value of `read_direction` that means backwards.
    pub(crate) const BACKWARDS: i32 = 1;

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(crate) enum Stream {
        #[prost(message, tag = "1")]
        Stream(StreamOptions),
        #[prost(message, tag = "2")]
        All(AllOptions),
    }

    #[derive(Clone, Copy, PartialEq, prost::Oneof)]
    pub(crate) enum Count {
        #[prost(uint64, tag = "5")]
        Count(u64),
        #[prost(message, tag = "6")]
        Subscription(()),
    }

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(crate) enum Filter {
        #[prost(message, tag = "7")]
        Filter(FilterOptions),
        #[prost(message, tag = "8")]
        NoFilter(()),
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamOptions {
    #[prost(message, optional, tag = "1")]
    pub(crate) stream_identifier: Option<StreamIdentifier>,
    #[prost(oneof = "Revision", tags = "2, 3, 4")]
    pub(crate) revision: Option<Revision>,
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub(crate) enum Revision {
    #[prost(uint64, tag = "2")]
    At(u64),
    #[prost(message, tag = "3")]
    Start(()),
    #[prost(message, tag = "4")]
    End(()),
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct AllOptions {
    #[prost(oneof = "AllStart", tags = "1, 2, 3")]
    pub(crate) start: Option<AllStart>,
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub(crate) enum AllStart {
    #[prost(message, tag = "1")]
    At(Position),
    #[prost(message, tag = "2")]
    Start(()),
    #[prost(message, tag = "3")]
    End(()),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadResp {
    #[prost(oneof = "Content", tags = "1, 2, 3, 4, 8")]
    pub(crate) content: Option<Content>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
#[expect(clippy::large_enum_variant, reason = "nearly all are events")]
pub(crate) enum Content {
    #[prost(message, tag = "1")]
    Event(ReadEvent),
    #[prost(message, tag = "2")]
    Confirmation(SubscriptionConfirmation),
    #[prost(message, tag = "3")]
    Checkpoint(Checkpoint),
    #[prost(message, tag = "4")]
    StreamNotFound(StreamNotFound),
    #[prost(message, tag = "8")]
    CaughtUp(CaughtUp),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadEvent {
    #[prost(message, optional, tag = "1")]
    pub(crate) event: Option<RecordedEvent>,
    #[prost(message, optional, tag = "2")]
    pub(crate) link: Option<RecordedEvent>,
    #[prost(uint64, optional, tag = "3")]
    pub(crate) commit_position: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct Checkpoint {
    #[prost(uint64, tag = "1")]
    pub(crate) commit_position: u64,
    #[prost(uint64, tag = "2")]
    pub(crate) prepare_position: u64,
    #[prost(message, optional, tag = "3")]
    pub(crate) timestamp: Option<Seconds>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct CaughtUp {
    #[prost(message, optional, tag = "1")]
    pub(crate) timestamp: Option<Seconds>,
    #[prost(int64, optional, tag = "2")]
    pub(crate) stream_revision: Option<i64>,
    #[prost(message, optional, tag = "3")]
    pub(crate) position: Option<Position>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamNotFound {
    #[prost(message, optional, tag = "1")]
    pub(crate) stream_identifier: Option<StreamIdentifier>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AppendReq {
    #[prost(oneof = "append_req::Content", tags = "1, 2")]
    pub(crate) content: Option<append_req::Content>,
}

pub(crate) mod append_req {
    use super::{ChangeOptions, ProposedMessage};

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(crate) enum Content {
        #[prost(message, tag = "1")]
        Options(ChangeOptions),
        #[prost(message, tag = "2")]
        ProposedMessage(ProposedMessage),
    }
}

/// The options of `Append`, `Delete` and `Tombstone`, which are alike.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ChangeOptions {
    #[prost(message, optional, tag = "1")]
    pub(crate) stream_identifier: Option<StreamIdentifier>,
    #[prost(oneof = "ExpectedRevision", tags = "2, 3, 4, 5")]
    pub(crate) expected: Option<ExpectedRevision>,
}

/// `DeleteReq` and `TombstoneReq`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DeleteReq {
    #[prost(message, optional, tag = "1")]
    pub(crate) options: Option<ChangeOptions>,
}

/// `DeleteResp` and `TombstoneResp`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct DeleteResp {
    #[prost(message, optional, tag = "1")]
    pub(crate) position: Option<Position>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct AppendResp {
    #[prost(oneof = "append_resp::Result", tags = "1, 2")]
    pub(crate) result: Option<append_resp::Result>,
}

pub(crate) mod append_resp {
    use super::{AppendSuccess, WrongVersion};

    #[derive(Clone, Copy, PartialEq, prost::Oneof)]
    pub(crate) enum Result {
        #[prost(message, tag = "1")]
        Success(AppendSuccess),
        #[prost(message, tag = "2")]
        WrongExpectedVersion(WrongVersion),
    }
}

/// The success of `Append` and of a batch, which are alike.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct AppendSuccess {
    #[prost(oneof = "append_success::CurrentRevision", tags = "1, 2")]
    pub(crate) current_revision: Option<append_success::CurrentRevision>,
    #[prost(message, optional, tag = "3")]
    pub(crate) position: Option<Position>,
}

pub(crate) mod append_success {
    #[derive(Clone, Copy, PartialEq, prost::Oneof)]
    pub(crate) enum CurrentRevision {
        #[prost(uint64, tag = "1")]
        Revision(u64),
        #[prost(message, tag = "2")]
        NoStream(()),
    }
}

/// The `WrongExpectedVersion` of `Append`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(crate) struct WrongVersion {
    #[prost(oneof = "wrong_version::Current", tags = "6, 7")]
    pub(crate) current: Option<wrong_version::Current>,
    #[prost(oneof = "wrong_version::Expected", tags = "8, 9, 10, 11")]
    pub(crate) expected: Option<wrong_version::Expected>,
}

pub(crate) mod wrong_version {
    #[derive(Clone, Copy, PartialEq, prost::Oneof)]
    pub(crate) enum Current {
        #[prost(uint64, tag = "6")]
        Revision(u64),
        #[prost(message, tag = "7")]
        NoStream(()),
    }

    #[derive(Clone, Copy, PartialEq, prost::Oneof)]
    pub(crate) enum Expected {
        #[prost(uint64, tag = "8")]
        Revision(u64),
        #[prost(message, tag = "9")]
        Any(()),
        #[prost(message, tag = "10")]
        StreamExists(()),
        #[prost(message, tag = "11")]
        NoStream(()),
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BatchAppendReq {
    #[prost(message, optional, tag = "1")]
    pub(crate) correlation_id: Option<Uuid>,
    #[prost(message, optional, tag = "2")]
    pub(crate) options: Option<BatchOptions>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) proposed_messages: Vec<ProposedMessage>,
    #[prost(bool, tag = "4")]
    pub(crate) is_final: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BatchOptions {
    #[prost(message, optional, tag = "1")]
    pub(crate) stream_identifier: Option<StreamIdentifier>,
    #[prost(oneof = "ExpectedRevision", tags = "2, 3, 4, 5")]
    pub(crate) expected: Option<ExpectedRevision>,
    #[prost(oneof = "BatchDeadline", tags = "6, 7")]
    pub(crate) deadline: Option<BatchDeadline>,
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub(crate) enum BatchDeadline {
    /// A moment.
    #[prost(message, tag = "6")]
    At(Seconds),
    /// A duration.
    #[prost(message, tag = "7")]
    In(Seconds),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BatchAppendResp {
    #[prost(message, optional, tag = "1")]
    pub(crate) correlation_id: Option<Uuid>,
    #[prost(oneof = "batch_append_resp::Result", tags = "2, 3")]
    pub(crate) result: Option<batch_append_resp::Result>,
    #[prost(message, optional, tag = "4")]
    pub(crate) stream_identifier: Option<StreamIdentifier>,
    #[prost(oneof = "batch_append_resp::Expected", tags = "5, 6, 7, 8")]
    pub(crate) expected: Option<batch_append_resp::Expected>,
}

pub(crate) mod batch_append_resp {
    use super::{AppendSuccess, BatchError};

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(crate) enum Result {
        #[prost(message, tag = "2")]
        Error(BatchError),
        #[prost(message, tag = "3")]
        Success(AppendSuccess),
    }

    #[derive(Clone, Copy, PartialEq, prost::Oneof)]
    pub(crate) enum Expected {
        #[prost(uint64, tag = "5")]
        Revision(u64),
        #[prost(message, tag = "6")]
        NoStream(()),
        #[prost(message, tag = "7")]
        Any(()),
        #[prost(message, tag = "8")]
        StreamExists(()),
    }
}

/// KurrentDB's own `Status`, which has one detail.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct BatchError {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) details: Option<AnyMessage>,
}
