//! Messages to bytes and back, with limits that hold before anything is decoded.

use crate::wire::{
    persistent,
    streams::{AppendReq, BatchAppendReq, DeleteReq, ReadReq},
};
use bytes::Buf;
use fairway_ledger::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, EVENT_BYTES_MAX};
use prost::{
    DecodeError, Message,
    encoding::{DecodeContext, decode_key, skip_field},
};
use std::marker::PhantomData;
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

/// Room for what is around data: names, ids, field numbers.
const AROUND: usize = 128 << 10;

/// A message that a client sends.
pub(crate) trait Incoming: Message + Default + 'static {
    /// Most bytes of one message.
    const BYTES_MAX: usize = 64 << 10;
    /// Most fields of its outermost level: a list of empty messages is small on the wire only.
    const FIELDS_MAX: usize = BATCH_EVENTS_MAX + 16;
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
}

/// Sends `A` and takes `Q`.
pub(crate) struct Messages<A, Q>(PhantomData<fn(A) -> Q>);

impl<A, Q> Messages<A, Q> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<A: Message + 'static, Q: Incoming> Codec for Messages<A, Q> {
    type Encode = A;
    type Decode = Q;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self::new()
    }

    fn decoder(&mut self) -> Self {
        Self::new()
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
        decode(message).map(Some)
    }
}

/// Reads a message that has no more fields than it may have.
pub(crate) fn decode<Q: Incoming>(message: impl Buf + Clone) -> Result<Q, Status> {
    let bad = |error: DecodeError| Status::internal(format!("a message cannot be read: {error}"));
    let is_within = has_at_most(message.clone(), Q::FIELDS_MAX).map_err(bad)?;
    if !is_within {
        return Err(Status::resource_exhausted("a message has too many fields"));
    }
    Q::decode(message).map_err(bad)
}

fn has_at_most(mut message: impl Buf, fields: usize) -> Result<bool, DecodeError> {
    let mut seen = 0;
    while message.has_remaining() {
        let (tag, wire_type) = decode_key(&mut message)?;
        skip_field(wire_type, tag, &mut message, DecodeContext::default())?;
        seen += 1;
        if seen > fields {
            return Ok(false);
        }
    }
    Ok(true)
}
