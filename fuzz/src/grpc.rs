//! Calls of KurrentDB's clients: a byte that chooses the method, then messages, each after its length
//! in two bytes.

use crate::{Seed, served};
use bytes::Bytes;
use fairway_kurrent::Kurrent;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use std::time::Duration;
use tokio::time::timeout;

/// The methods, in the order of the bytes that choose them.
const METHODS: [&str; 17] = [
    "event_store.client.streams.Streams/Read",
    "event_store.client.streams.Streams/Append",
    "event_store.client.streams.Streams/BatchAppend",
    "event_store.client.streams.Streams/Delete",
    "event_store.client.streams.Streams/Tombstone",
    "event_store.client.persistent_subscriptions.PersistentSubscriptions/Read",
    "event_store.client.persistent_subscriptions.PersistentSubscriptions/Create",
    "event_store.client.persistent_subscriptions.PersistentSubscriptions/Update",
    "event_store.client.persistent_subscriptions.PersistentSubscriptions/Delete",
    "event_store.client.persistent_subscriptions.PersistentSubscriptions/GetInfo",
    "event_store.client.persistent_subscriptions.PersistentSubscriptions/List",
    "event_store.client.persistent_subscriptions.PersistentSubscriptions/ReplayParked",
    "event_store.client.persistent_subscriptions.PersistentSubscriptions/RestartSubsystem",
    "event_store.client.gossip.Gossip/Read",
    "event_store.client.server_features.ServerFeatures/GetSupportedMethods",
    "kurrentdb.protocol.v2.streams.StreamsService/AppendSession",
    "kurrentdb.protocol.v2.streams.StreamsService/AppendRecords",
];
/// Most messages of a call.
const MESSAGES_MAX: usize = 8;
/// How long a call may take; what follows for ever ends by it.
const LONG: Duration = Duration::from_millis(20);
/// The codes of gRPC for what is nobody's fault but the server's.
const FAULTS: [&str; 3] = ["2", "13", "15"];
/// What is told with these codes too, as other servers do: no message, or none of the protocol.
const NO_MESSAGE: [&str; 2] = ["a%20message%20cannot%20be%20read", "Missing%20request%20message"];

/// Calls a method. The answer may be no fault, and what was appended has to be readable over HTTP.
pub fn run(input: &[u8]) {
    let Some((method, body)) = call(input) else { return };
    served::run(async |served| {
        let kurrent = served.kurrent.clone();
        if let Ok(Some(trailers)) = timeout(LONG, answer(&kurrent, method, body)).await {
            check(method, &trailers);
        }
    });
}

/// The method and the body that an input means.
fn call(input: &[u8]) -> Option<(&'static str, Bytes)> {
    let (method, mut rest) = input.split_first()?;
    let mut body = Vec::new();
    for _ in 0..MESSAGES_MAX {
        let Some((length, after)) = rest.split_first_chunk() else { break };
        let (message, after) = after.split_at(after.len().min(u16::from_be_bytes(*length).into()));
        let length = u32::try_from(message.len()).expect("it came from two bytes").to_be_bytes();
        body.extend([&[0], length.as_slice(), message].concat());
        rest = after;
    }
    Some((METHODS[usize::from(*method) % METHODS.len()], body.into()))
}

/// Where an answer ends: the code and what is said of it. None if it breaks off.
async fn answer(kurrent: &Kurrent, method: &str, body: Bytes) -> Option<HeaderMap> {
    let request = Request::post(format!("/{method}")).header("content-type", "application/grpc");
    let request = request.body(Full::new(body)).expect("it is a request");
    let (head, body) = kurrent.handle(request).await.into_parts();
    let collected = body.collect().await.ok()?;
    Some(collected.trailers().cloned().unwrap_or(head.headers))
}

fn check(method: &str, trailers: &HeaderMap) {
    let text = |name: &str| trailers.get(name).map_or("", |it| it.to_str().unwrap_or("?"));
    let (code, told) = (text("grpc-status"), text("grpc-message"));
    let is_fault = FAULTS.contains(&code) && !NO_MESSAGE.iter().any(|it| told.starts_with(it));
    assert!(!code.is_empty() && !is_fault, "{method} {trailers:?}");
}

/// A call of every sort.
pub fn seeds() -> Vec<Seed> {
    let stream = field(3, b"order-1");
    let of_stream = field(1, &stream);
    let entry = |key: &[u8], value: &[u8]| field(2, &[field(1, key), field(2, value)].concat());
    let event = [entry(b"type", b"paid"), entry(b"content-type", b"application/json")];
    let event = [event.concat(), field(3, br#"{"by":"ann"}"#), field(4, br#"{"sum":1.10}"#)];
    let event = event.concat();
    let options = [of_stream.clone(), field(4, &[])].concat();
    let id = field(2, b"018f4a3e-0000-7000-8000-000000000001");
    let batch = [field(1, &id), field(2, &options), field(3, &event), number(4, 1)];
    let one = [field(1, &[of_stream.clone(), field(3, &[])].concat()), number(5, 9), field(8, &[])];
    let filter = field(7, &[field(1, &field(1, b"^order")), number(5, 1)].concat());
    let all = [field(2, &field(2, &[])), number(5, 9), filter];
    let group = [of_stream.clone(), field(2, b"mails")].concat();
    let settings = field(3, &number(5, 3));
    let create =
        [field(4, &[of_stream.clone(), field(3, &[])].concat()), field(2, b"mails"), settings];
    let info = [of_stream.clone(), field(3, b"mails")].concat();
    let consume = [group.clone(), number(3, 9)].concat();
    let schema = [number(1, 1), field(2, b"paid")].concat();
    let record = [field(3, &schema), field(4, b"{}")].concat();
    let session = [field(1, b"order-1"), field(2, &record)].concat();
    vec![
        ("read-stream", seed(0, &[field(1, &one.concat())])),
        ("read-all", seed(0, &[field(1, &all.concat())])),
        ("append", seed(1, &[field(1, &options), field(2, &event)])),
        ("batch", seed(2, &[batch.concat()])),
        ("delete", seed(3, &[field(1, &options)])),
        ("create", seed(6, &[field(1, &create.concat())])),
        ("consume", seed(5, &[field(1, &consume), field(2, &field(2, &id))])),
        ("info", seed(9, &[field(1, &info)])),
        ("replay", seed(11, &[field(1, &[field(1, b"mails"), field(2, &stream)].concat())])),
        ("gossip", seed(13, &[Vec::new()])),
        ("session", seed(15, &[session])),
    ]
}

fn seed(method: u8, messages: &[Vec<u8>]) -> Vec<u8> {
    let length = |message: &[u8]| u16::try_from(message.len()).expect("seeds are short");
    let message = |it: &Vec<u8>| [length(it).to_be_bytes().as_slice(), it].concat();
    [vec![method], messages.iter().flat_map(message).collect()].concat()
}

/// A field with bytes, of less than 16 tags and 128 bytes.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).ok().filter(|length| *length < 128);
    [&[tag << 3 | 2, length.expect("fields are short")], bytes].concat()
}

/// A field with a number below 128.
fn number(tag: u8, number: u8) -> Vec<u8> {
    vec![tag << 3, number]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_the_seeds_is_understood() {
        for (name, seed) in seeds() {
            let (method, body) = call(&seed).unwrap();
            served::run(async |served| {
                let kurrent = served.kurrent.clone();
                let trailers = answer(&kurrent, method, body).await;
                assert_eq!(trailers.unwrap()["grpc-status"], "0", "{name} {method}");
            });
            run(&seed);
        }
    }
}
