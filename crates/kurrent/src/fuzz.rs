//! Everything that a client can send, from its bytes to what the ledger would get: taken or refused,
//! whatever it is.

use crate::{
    ask::Ask,
    codec::decode,
    damage::damaged,
    expected,
    groups::{self, target},
    proposed,
    recorded::Ids,
    records::record,
    wire::{
        persistent::{
            self, Ack, AllOptions, GetInfoOptions, GetInfoReq, Nack, ReadOptions, ReplayOptions,
            ReplayParkedReq, Sent, SettingOptions, SettingReq, Settings,
        },
        records::{AppendRecord, AppendRecordsRequest, AppendRequest, SchemaInfo},
        shared::{
            ExpectedRevision, FilterOptions, ProposedMessage, Seconds, StreamIdentifier, Uuid,
            filter_options, uuid,
        },
        streams::{
            AllOptions as ReadAll, AllStart, AppendReq, BatchAppendReq, BatchDeadline,
            BatchOptions, ChangeOptions, DeleteReq, ReadOptions as Reading, ReadReq, StreamOptions,
            append_req, read_options,
        },
    },
};
use fairway_ledger::{Event, EventId, NewEvent, Position, StreamName, Version};
use fairway_model::Timestamp;
use proptest::prelude::*;
use prost::Message;
use tonic::Status;

fn stream() -> Option<StreamIdentifier> {
    Some(StreamIdentifier { stream_name: b"order-1".to_vec() })
}

fn id() -> Uuid {
    Uuid { value: Some(uuid::Value::String("018f4a3e-0000-7000-8000-000000000001".to_owned())) }
}

fn message() -> ProposedMessage {
    let entry = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    ProposedMessage {
        id: Some(id()),
        metadata: [entry("type", "paid"), entry("content-type", "application/json")].into(),
        custom_metadata: br#"{"by":"ann"}"#.to_vec(),
        data: br#"{"sum": 1.10}"#.to_vec(),
    }
}

fn filter() -> FilterOptions {
    let expression =
        filter_options::Expression { regex: "^(?!\\$)".to_owned(), prefix: Vec::new() };
    FilterOptions {
        filter: Some(filter_options::Filter::EventType(expression)),
        window: Some(filter_options::Window::Max(32)),
        checkpoint_interval_multiplier: 1,
    }
}

fn reads() -> Vec<Vec<u8>> {
    let options = Reading {
        stream: Some(read_options::Stream::All(ReadAll { start: Some(AllStart::Start(())) })),
        count: Some(read_options::Count::Count(9)),
        filter: Some(read_options::Filter::Filter(filter())),
        ..Reading::default()
    };
    let of_stream = StreamOptions { stream_identifier: stream(), revision: None };
    let one = Reading {
        stream: Some(read_options::Stream::Stream(of_stream)),
        count: Some(read_options::Count::Subscription(())),
        filter: Some(read_options::Filter::NoFilter(())),
        ..Reading::default()
    };
    [options, one].map(|options| ReadReq { options: Some(options) }.encode_to_vec()).to_vec()
}

fn appends() -> Vec<Vec<u8>> {
    let options = ChangeOptions {
        stream_identifier: stream(),
        expected: Some(ExpectedRevision::Revision(3)),
    };
    let batch = BatchAppendReq {
        correlation_id: Some(id()),
        options: Some(BatchOptions {
            stream_identifier: stream(),
            expected: Some(ExpectedRevision::NoStream(())),
            deadline: Some(BatchDeadline::In(Seconds { seconds: 1, nanos: 5 })),
        }),
        proposed_messages: vec![message(); 2],
        is_final: true,
    };
    let append = |content| AppendReq { content: Some(content) }.encode_to_vec();
    vec![
        append(append_req::Content::Options(options.clone())),
        append(append_req::Content::ProposedMessage(message())),
        DeleteReq { options: Some(options) }.encode_to_vec(),
        batch.encode_to_vec(),
    ]
}

fn records() -> Vec<Vec<u8>> {
    let record = AppendRecord {
        record_id: Some("018f4a3e-0000-7000-8000-000000000001".to_owned()),
        schema: Some(SchemaInfo { format: SchemaInfo::JSON, name: "paid".to_owned() }),
        data: b"{}".to_vec(),
        stream: "order-1".to_owned(),
        ..AppendRecord::default()
    };
    let session = AppendRequest {
        stream: "order-1".to_owned(),
        records: vec![record.clone()],
        expected_revision: Some(-1),
    };
    let all = AppendRecordsRequest { records: vec![record; 2], checks: Vec::new() };
    vec![session.encode_to_vec(), all.encode_to_vec()]
}

fn of_groups() -> Vec<Vec<u8>> {
    let all = AllOptions { start: Some(AllStart::End(())), filter: Some(filter()) };
    let settings = Settings { max_retry_count: 3, live_buffer_size: 9, ..Settings::default() };
    let setting = SettingOptions {
        stream: Some(persistent::setting_options::Stream::All(all)),
        group_name: "mails".to_owned(),
        settings: Some(settings),
        ..SettingOptions::default()
    };
    let options = ReadOptions {
        stream: Some(persistent::read_options::Stream::All(())),
        group_name: "mails".to_owned(),
        buffer_size: 10,
        uuid_option: None,
    };
    let nack = Nack { ids: vec![id()], action: 1, reason: "no".to_owned() };
    let source = persistent::get_info_options::Stream::All(());
    let info = GetInfoOptions { stream: Some(source), group_name: "mails".to_owned() };
    let replay = ReplayOptions {
        group_name: "mails".to_owned(),
        stream: Some(persistent::replay_options::Stream::All(())),
        stop_at: Some(5),
    };
    let sent = |content| persistent::ReadReq { content: Some(content) }.encode_to_vec();
    vec![
        SettingReq { options: Some(setting) }.encode_to_vec(),
        sent(Sent::Options(options)),
        sent(Sent::Ack(Ack { ids: vec![id(); 3] })),
        sent(Sent::Nack(nack)),
        GetInfoReq { options: Some(info) }.encode_to_vec(),
        ReplayParkedReq { options: Some(replay) }.encode_to_vec(),
    ]
}

/// What was taken is given back to readers as it was sent.
fn read_again(event: NewEvent, stream: &StreamName, data: &[u8]) {
    let event = Event {
        position: Position(1),
        stream: stream.clone(),
        version: Version(1),
        id: event.id.unwrap_or(EventId([7; 16])),
        kind: event.kind,
        recorded: Timestamp(0),
        data: event.data,
        metadata: event.metadata,
    };
    assert_eq!(Ids::Halves.event(event).data, data);
}

fn propose(messages: Vec<ProposedMessage>, stream: &StreamName) -> Result<(), Status> {
    for message in messages {
        let data = message.data.clone();
        read_again(proposed::event(message, stream)?, stream, &data);
    }
    Ok(())
}

fn record_all(records: Vec<AppendRecord>) -> Result<(), Status> {
    for record in records {
        let stream: StreamName = record.stream.parse().map_err(crate::status::invalid)?;
        let data = record.data.clone();
        read_again(record::event(record, &stream)?, &stream, &data);
    }
    Ok(())
}

fn read_append(bytes: &[u8]) -> Result<(), Status> {
    match decode::<AppendReq>(bytes)?.content {
        Some(append_req::Content::Options(options)) => expected::change(Some(options)).map(drop),
        Some(append_req::Content::ProposedMessage(message)) => {
            propose(vec![message], &StreamName::trusted("order-1"))
        }
        None => Ok(()),
    }
}

fn read_batch(bytes: &[u8]) -> Result<(), Status> {
    let batch = decode::<BatchAppendReq>(bytes)?;
    let stream = expected::stream_name(batch.options.unwrap_or_default().stream_identifier)?;
    propose(batch.proposed_messages, &stream)
}

fn read_records(bytes: &[u8]) -> Result<(), Status> {
    let session = decode::<AppendRequest>(bytes)?;
    record::expected(session.expected_revision)?;
    record_all(session.records)
}

fn read_consumer(bytes: &[u8]) -> Result<(), Status> {
    match decode::<persistent::ReadReq>(bytes)?.content {
        Some(Sent::Options(options)) => {
            target::group(options.stream, &options.group_name).map(drop)
        }
        Some(Sent::Ack(Ack { ids }) | Sent::Nack(Nack { ids, .. })) => {
            ids.into_iter().try_for_each(|id| proposed::event_id(id).map(drop))
        }
        None => Ok(()),
    }
}

fn read_about_groups(bytes: &[u8]) -> Result<(), Status> {
    let info = decode::<GetInfoReq>(bytes)?.options.unwrap_or_default();
    drop(target::group(info.stream, &info.group_name));
    let replay = decode::<ReplayParkedReq>(bytes)?.options.unwrap_or_default();
    drop(target::group(replay.stream, &replay.group_name));
    let delete = decode::<persistent::DeleteReq>(bytes)?.options.unwrap_or_default();
    drop(target::group(delete.stream, &delete.group_name));
    let list = decode::<persistent::ListReq>(bytes)?.options.unwrap_or_default();
    target::source(list.list_for_stream.and_then(|it| it.stream)).map(drop)
}

/// Reads bytes as every message there is, and what is in those.
fn read_all(bytes: &[u8]) {
    drop(decode::<ReadReq>(bytes).and_then(Ask::parse).map(drop));
    drop(decode::<DeleteReq>(bytes).and_then(|it| expected::change(it.options)));
    drop(read_append(bytes));
    drop(read_batch(bytes));
    drop(read_records(bytes));
    drop(decode::<AppendRecordsRequest>(bytes).and_then(|it| record_all(it.records)));
    drop(decode::<SettingReq>(bytes).and_then(groups::check));
    drop(read_consumer(bytes));
    drop(read_about_groups(bytes));
}

#[test]
fn undamaged_messages_are_taken() {
    for read in reads() {
        assert!(decode::<ReadReq>(&read).and_then(Ask::parse).is_ok());
    }
    let [options, event, delete, batch] = &appends()[..] else { panic!("four") };
    read_append(options).and(read_append(event)).unwrap();
    read_batch(batch).unwrap();
    assert!(decode::<DeleteReq>(delete).and_then(|it| expected::change(it.options)).is_ok());
    let [session, all] = &records()[..] else { panic!("two") };
    read_records(session).unwrap();
    assert!(decode::<AppendRecordsRequest>(all).and_then(|it| record_all(it.records)).is_ok());
    let [setting, options, ack, nack, info, replay] = &of_groups()[..] else { panic!("six") };
    assert!(decode::<SettingReq>(setting).and_then(groups::check).is_ok());
    for sent in [options, ack, nack] {
        read_consumer(sent).unwrap();
    }
    assert!(decode::<GetInfoReq>(info).is_ok() && decode::<ReplayParkedReq>(replay).is_ok());
}

proptest! {
    #[test]
    fn any_bytes_are_messages_or_refused(bytes: Vec<u8>) {
        read_all(&bytes);
    }

    #[test]
    fn damaged_reads_are_taken_or_refused(bytes in damaged(reads())) {
        read_all(&bytes);
    }

    #[test]
    fn damaged_appends_are_taken_or_refused(bytes in damaged(appends())) {
        read_all(&bytes);
    }

    #[test]
    fn damaged_records_are_taken_or_refused(bytes in damaged(records())) {
        read_all(&bytes);
    }

    #[test]
    fn damaged_messages_of_groups_are_taken_or_refused(bytes in damaged(of_groups())) {
        read_all(&bytes);
    }
}
