//! Messages to bytes and back, with limits that hold before anything is decoded.

use crate::{
    room::Load,
    wire::{
        persistent,
        records::{AppendRecordsRequest, AppendRequest},
        streams::{AppendReq, BatchAppendReq, DeleteReq, ReadReq},
    },
};
use bytes::Buf;
use fairway_ledger::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, EVENT_BYTES_MAX};
use prost::{
    DecodeError, Message,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};
use std::marker::PhantomData;
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

/// Room for what is around data: names, ids, field numbers.
const AROUND: usize = 128 << 10;

/// Most fields of one event: its properties are some.
const EVENT_FIELDS_MAX: usize = 1_000;

/// A message that a client sends.
pub(crate) trait Incoming: Message + Default + 'static {
    /// Most bytes of one message.
    const BYTES_MAX: usize = 64 << 10;
    /// Most fields of its outermost level: a list of empty messages is small on the wire only.
    const FIELDS_MAX: usize = BATCH_EVENTS_MAX + 16;
    /// The number of the field with its events, if it has several.
    const EVENTS: Option<u32> = None;
}

impl Incoming for () {}
impl Incoming for ReadReq {}
impl Incoming for DeleteReq {}
impl Incoming for persistent::SettingReq {}
impl Incoming for persistent::DeleteReq {}
impl Incoming for persistent::GetInfoReq {}
impl Incoming for persistent::ListReq {}
impl Incoming for persistent::ReplayParkedReq {}
impl Incoming for persistent::ReadReq {
    const BYTES_MAX: usize = 512 << 10;
}
impl Incoming for AppendReq {
    const BYTES_MAX: usize = EVENT_BYTES_MAX + AROUND;
}
impl Incoming for BatchAppendReq {
    const BYTES_MAX: usize = BATCH_BYTES_MAX + (1 << 20);
    const EVENTS: Option<u32> = Some(3);
}
impl Incoming for AppendRequest {
    const BYTES_MAX: usize = BATCH_BYTES_MAX + (1 << 20);
    const EVENTS: Option<u32> = Some(2);
}
impl Incoming for AppendRecordsRequest {
    const BYTES_MAX: usize = BATCH_BYTES_MAX + (1 << 20);
    const EVENTS: Option<u32> = Some(1);
}

/// The bytes that are before each message.
const HEAD_BYTES: usize = 5;

/// Sends `A` and takes `Q`.
pub(crate) struct Messages<A, Q> {
    /// What a message is part of until it is read, unless it stays so.
    load: Option<Load>,
    of: PhantomData<fn(A) -> Q>,
}

impl<A, Q> Messages<A, Q> {
    /// Messages that are part of what the call was sent until it ends.
    pub(crate) fn kept() -> Self {
        Self { load: None, of: PhantomData }
    }

    /// Messages that are no part of it any more once they are read.
    pub(crate) fn passing(load: Load) -> Self {
        Self { load: Some(load), of: PhantomData }
    }
}

impl<A: Message + 'static, Q: Incoming> Codec for Messages<A, Q> {
    type Encode = A;
    type Decode = Q;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self::kept()
    }

    fn decoder(&mut self) -> Self {
        Self { load: self.load.clone(), of: PhantomData }
    }
}

impl<A: Message + 'static, Q> Encoder for Messages<A, Q> {
    type Item = A;
    type Error = Status;

    fn encode(&mut self, item: A, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

impl<A, Q: Incoming> Decoder for Messages<A, Q> {
    type Item = Q;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Q>, Status> {
        let message = buffer.copy_to_bytes(buffer.remaining());
        let read = decode(&message).map(Some);
        if let Some(load) = &self.load {
            load.release(HEAD_BYTES + message.len());
        }
        read
    }
}

/// Reads a message that has no more fields than it may have.
pub(crate) fn decode<Q: Incoming>(message: &[u8]) -> Result<Q, Status> {
    let bad = |error: DecodeError| Status::internal(format!("a message cannot be read: {error}"));
    if !has_at_most(message, Q::FIELDS_MAX, Q::EVENTS).map_err(bad)? {
        return Err(Status::resource_exhausted("a message has too many fields"));
    }
    Q::decode(message).map_err(bad)
}

/// Whether a message has at most so many fields, and each event in it as many as it may have.
fn has_at_most(
    mut message: &[u8],
    fields: usize,
    events: Option<u32>,
) -> Result<bool, DecodeError> {
    let mut seen = 0;
    while message.has_remaining() {
        let (tag, wire_type) = decode_key(&mut message)?;
        let before = message;
        skip_field(wire_type, tag, &mut message, DecodeContext::default())?;
        seen += 1;
        let is_event = Some(tag) == events && wire_type == WireType::LengthDelimited;
        if seen > fields || is_event && !is_event_of_few(before)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether an event, with its length before it, has as many fields as it may have.
fn is_event_of_few(mut event: &[u8]) -> Result<bool, DecodeError> {
    let length = usize::try_from(decode_varint(&mut event)?).unwrap_or(usize::MAX);
    has_at_most(event.get(..length).unwrap_or(event), EVENT_FIELDS_MAX, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{
        records::AppendRecord,
        streams::{CaughtUp, Content, ReadResp},
    };

    #[test]
    fn a_list_of_empty_messages_is_small_on_the_wire_only() {
        let many = [0x1a, 0x00].repeat(BatchAppendReq::FIELDS_MAX + 1);
        let refused = decode::<BatchAppendReq>(many.as_slice()).unwrap_err();
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        let properties = [0x12, 0x00].repeat(EVENT_FIELDS_MAX + 1);
        let event =
            AppendRecordsRequest { records: vec![AppendRecord::default()], checks: Vec::new() };
        assert!(decode::<AppendRecordsRequest>(&event.encode_to_vec()).is_ok());
        let length = u8::try_from(properties.len() >> 7).unwrap();
        let head = [0x0a, 0x80 | u8::try_from(properties.len() & 0x7f).unwrap(), length];
        let refused = decode::<AppendRecordsRequest>(&[&head, properties.as_slice()].concat());
        assert_eq!(refused.unwrap_err().code(), tonic::Code::ResourceExhausted);
        let most = [0x1a, 0x00].repeat(BATCH_EVENTS_MAX);
        let read = decode::<BatchAppendReq>(most.as_slice()).unwrap();
        assert_eq!(read.proposed_messages.len(), BATCH_EVENTS_MAX);
    }

    #[test]
    fn a_message_is_what_it_was() {
        let answer = ReadResp { content: Some(Content::CaughtUp(CaughtUp::default())) };
        assert_eq!(ReadResp::decode(answer.encode_to_vec().as_slice()), Ok(answer));
    }
}
