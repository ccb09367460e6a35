//! Messages of `event_store.client.persistent_subscriptions.PersistentSubscriptions`.

use super::{
    shared::{
        FilterOptions, RecordedEvent, StreamIdentifier, SubscriptionConfirmation, Uuid, UuidOption,
    },
    streams::{AllStart, StreamOptions},
};

/// Whose events are meant, in several requests: alike, but for the numbers of the fields.
macro_rules! sources {
    ($($module:ident: $stream:tt, $all:tt;)*) => {
        $(pub(crate) mod $module {
            use super::StreamIdentifier;

            #[derive(Clone, PartialEq, prost::Oneof)]
            pub(crate) enum Stream {
                #[prost(message, tag = $stream)]
                Stream(StreamIdentifier),
                #[prost(message, tag = $all)]
                All(()),
            }
        })*
    };
}

sources! {
    read_options: "1", "5";
    get_info_options: "1", "2";
    delete_options: "1", "3";
    replay_options: "2", "3";
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadReq {
    #[prost(oneof = "Sent", tags = "1, 2, 3")]
    pub(crate) content: Option<Sent>,
}

/// What a consumer sends: its options first, then what became of events.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum Sent {
    #[prost(message, tag = "1")]
    Options(ReadOptions),
    #[prost(message, tag = "2")]
    Ack(Ack),
    #[prost(message, tag = "3")]
    Nack(Nack),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadOptions {
    #[prost(oneof = "read_options::Stream", tags = "1, 5")]
    pub(crate) stream: Option<read_options::Stream>,
    #[prost(string, tag = "2")]
    pub(crate) group_name: String,
    #[prost(int32, tag = "3")]
    pub(crate) buffer_size: i32,
    #[prost(message, optional, tag = "4")]
    pub(crate) uuid_option: Option<UuidOption>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Ack {
    #[prost(message, repeated, tag = "2")]
    pub(crate) ids: Vec<Uuid>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Nack {
    #[prost(message, repeated, tag = "2")]
    pub(crate) ids: Vec<Uuid>,
    #[prost(enumeration = "Action", tag = "3")]
    pub(crate) action: i32,
    #[prost(string, tag = "4")]
    pub(crate) reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Action {
    Unknown = 0,
    Park = 1,
    Retry = 2,
    Skip = 3,
    Stop = 4,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadResp {
    #[prost(oneof = "Content", tags = "1, 2")]
    pub(crate) content: Option<Content>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
#[expect(clippy::large_enum_variant, reason = "nearly all are events")]
pub(crate) enum Content {
    #[prost(message, tag = "1")]
    Event(ReadEvent),
    #[prost(message, tag = "2")]
    SubscriptionConfirmation(SubscriptionConfirmation),
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReadEvent {
    #[prost(message, optional, tag = "1")]
    pub(crate) event: Option<RecordedEvent>,
    #[prost(message, optional, tag = "2")]
    pub(crate) link: Option<RecordedEvent>,
    #[prost(uint64, optional, tag = "3")]
    pub(crate) commit_position: Option<u64>,
    #[prost(int32, optional, tag = "5")]
    pub(crate) retry_count: Option<i32>,
}

/// `CreateReq` and `UpdateReq`, of which the latter has no filter.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SettingReq {
    #[prost(message, optional, tag = "1")]
    pub(crate) options: Option<SettingOptions>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SettingOptions {
    #[prost(oneof = "setting_options::Stream", tags = "4, 5")]
    pub(crate) stream: Option<setting_options::Stream>,
    /// The stream, as the Node client says it.
    #[prost(message, optional, tag = "1")]
    pub(crate) stream_identifier: Option<StreamIdentifier>,
    #[prost(string, tag = "2")]
    pub(crate) group_name: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) settings: Option<Settings>,
}

pub(crate) mod setting_options {
    use super::{AllOptions, StreamOptions};

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(crate) enum Stream {
        #[prost(message, tag = "4")]
        Stream(StreamOptions),
        #[prost(message, tag = "5")]
        All(AllOptions),
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AllOptions {
    #[prost(oneof = "AllStart", tags = "1, 2, 3")]
    pub(crate) start: Option<AllStart>,
    #[prost(message, optional, tag = "4")]
    pub(crate) filter: Option<FilterOptions>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Settings {
    #[prost(bool, tag = "1")]
    pub(crate) resolve_links: bool,
    /// The start, with `stream_identifier`; the highest number is the end.
    #[prost(uint64, tag = "2")]
    pub(crate) revision: u64,
    #[prost(bool, tag = "3")]
    pub(crate) extra_statistics: bool,
    #[prost(int32, tag = "5")]
    pub(crate) max_retry_count: i32,
    #[prost(int32, tag = "7")]
    pub(crate) min_checkpoint_count: i32,
    #[prost(int32, tag = "8")]
    pub(crate) max_checkpoint_count: i32,
    #[prost(int32, tag = "9")]
    pub(crate) max_subscriber_count: i32,
    #[prost(int32, tag = "10")]
    pub(crate) live_buffer_size: i32,
    #[prost(int32, tag = "11")]
    pub(crate) read_batch_size: i32,
    #[prost(int32, tag = "12")]
    pub(crate) history_buffer_size: i32,
    #[prost(enumeration = "ConsumerStrategy", tag = "13")]
    pub(crate) named_consumer_strategy: i32,
    #[prost(oneof = "MessageTimeout", tags = "4, 14")]
    pub(crate) message_timeout: Option<MessageTimeout>,
    #[prost(oneof = "CheckpointAfter", tags = "6, 15")]
    pub(crate) checkpoint_after: Option<CheckpointAfter>,
    #[prost(string, tag = "16")]
    pub(crate) consumer_strategy: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum ConsumerStrategy {
    DispatchToSingle = 0,
    RoundRobin = 1,
    Pinned = 2,
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub(crate) enum MessageTimeout {
    #[prost(int64, tag = "4")]
    Ticks(i64),
    #[prost(int32, tag = "14")]
    Millis(i32),
}

#[derive(Clone, Copy, PartialEq, prost::Oneof)]
pub(crate) enum CheckpointAfter {
    #[prost(int64, tag = "6")]
    Ticks(i64),
    #[prost(int32, tag = "15")]
    Millis(i32),
}

/// `GetInfoReq`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetInfoReq {
    #[prost(message, optional, tag = "1")]
    pub(crate) options: Option<GetInfoOptions>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetInfoOptions {
    #[prost(oneof = "get_info_options::Stream", tags = "1, 2")]
    pub(crate) stream: Option<get_info_options::Stream>,
    #[prost(string, tag = "3")]
    pub(crate) group_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DeleteReq {
    #[prost(message, optional, tag = "1")]
    pub(crate) options: Option<DeleteOptions>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct DeleteOptions {
    #[prost(oneof = "delete_options::Stream", tags = "1, 3")]
    pub(crate) stream: Option<delete_options::Stream>,
    #[prost(string, tag = "2")]
    pub(crate) group_name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReplayParkedReq {
    #[prost(message, optional, tag = "1")]
    pub(crate) options: Option<ReplayOptions>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ReplayOptions {
    #[prost(string, tag = "1")]
    pub(crate) group_name: String,
    #[prost(oneof = "replay_options::Stream", tags = "2, 3")]
    pub(crate) stream: Option<replay_options::Stream>,
    #[prost(int64, optional, tag = "4")]
    pub(crate) stop_at: Option<i64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ListReq {
    #[prost(message, optional, tag = "1")]
    pub(crate) options: Option<ListOptions>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ListOptions {
    #[prost(message, optional, tag = "2")]
    pub(crate) list_for_stream: Option<StreamOption>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct StreamOption {
    #[prost(oneof = "get_info_options::Stream", tags = "1, 2")]
    pub(crate) stream: Option<get_info_options::Stream>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct GetInfoResp {
    #[prost(message, optional, tag = "1")]
    pub(crate) subscription_info: Option<SubscriptionInfo>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ListResp {
    #[prost(message, repeated, tag = "1")]
    pub(crate) subscriptions: Vec<SubscriptionInfo>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct SubscriptionInfo {
    #[prost(string, tag = "1")]
    pub(crate) event_source: String,
    #[prost(string, tag = "2")]
    pub(crate) group_name: String,
    #[prost(string, tag = "3")]
    pub(crate) status: String,
    #[prost(message, repeated, tag = "4")]
    pub(crate) connections: Vec<ConnectionInfo>,
    #[prost(int32, tag = "5")]
    pub(crate) average_per_second: i32,
    #[prost(int64, tag = "6")]
    pub(crate) total_items: i64,
    #[prost(string, tag = "8")]
    pub(crate) last_checkpointed_event_position: String,
    #[prost(string, tag = "9")]
    pub(crate) last_known_event_position: String,
    #[prost(bool, tag = "10")]
    pub(crate) resolve_link_tos: bool,
    #[prost(string, tag = "11")]
    pub(crate) start_from: String,
    #[prost(int32, tag = "12")]
    pub(crate) message_timeout_milliseconds: i32,
    #[prost(bool, tag = "13")]
    pub(crate) extra_statistics: bool,
    #[prost(int32, tag = "14")]
    pub(crate) max_retry_count: i32,
    #[prost(int32, tag = "15")]
    pub(crate) live_buffer_size: i32,
    #[prost(int32, tag = "16")]
    pub(crate) buffer_size: i32,
    #[prost(int32, tag = "17")]
    pub(crate) read_batch_size: i32,
    #[prost(int32, tag = "18")]
    pub(crate) check_point_after_milliseconds: i32,
    #[prost(int32, tag = "19")]
    pub(crate) min_check_point_count: i32,
    #[prost(int32, tag = "20")]
    pub(crate) max_check_point_count: i32,
    #[prost(int32, tag = "21")]
    pub(crate) read_buffer_count: i32,
    #[prost(int32, tag = "23")]
    pub(crate) retry_buffer_count: i32,
    #[prost(int32, tag = "24")]
    pub(crate) total_in_flight_messages: i32,
    #[prost(int32, tag = "25")]
    pub(crate) outstanding_messages_count: i32,
    #[prost(string, tag = "26")]
    pub(crate) named_consumer_strategy: String,
    #[prost(int32, tag = "27")]
    pub(crate) max_subscriber_count: i32,
    #[prost(int64, tag = "28")]
    pub(crate) parked_message_count: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ConnectionInfo {
    #[prost(int32, tag = "3")]
    pub(crate) average_items_per_second: i32,
    #[prost(int64, tag = "4")]
    pub(crate) total_items: i64,
    #[prost(int32, tag = "7")]
    pub(crate) available_slots: i32,
    #[prost(int32, tag = "8")]
    pub(crate) in_flight_messages: i32,
    #[prost(string, tag = "9")]
    pub(crate) connection_name: String,
}
