//! Clients that take nothing of what they are sent.

use crate::{
    memory::resident,
    raw::{Raw, field, framed, number},
    server::Server,
};
use fairway_events::{GroupId, OrderBy, Settings};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::time::Duration;
use tokio::time::timeout;

/// How long anything may take.
const SOON: Duration = Duration::from_secs(10);
/// Readers of each sort.
const READERS: usize = 16;
const BATCHES: u64 = 32;
/// Events of a batch.
const EACH: u64 = 1_000;
/// How many events a consumer has at once.
const CREDIT: u8 = 100;
/// Most bytes that are held for a reader: a page of a mebibyte, a part of it as it is sent, and its share
/// of what other tests do meanwhile.
const HELD_MAX: usize = 3 << 20;
/// What the events are found by, before their numbers.
const MARK: &[u8] = b"number=";
const DIGITS: usize = 8;

/// `StreamIdentifier` of the stream that all is about.
fn stream() -> Vec<u8> {
    field(3, b"order-1")
}

/// Appends events with numbers.
async fn append(raw: &Raw, numbers: impl Iterator<Item = u64>) {
    let entry = |key: &str, value: &str| {
        field(2, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat())
    };
    let kind = [entry("type", "a"), entry("content-type", "application/octet-stream")].concat();
    let event = |number: u64| {
        let data = [MARK, format!("{number:0DIGITS$}").as_bytes(), &[b'x'; 1_000]].concat();
        framed(&field(2, &[kind.as_slice(), &field(4, &data)].concat()))
    };
    let options = framed(&field(1, &[field(1, &stream()), field(4, &[])].concat()));
    let body = [options].into_iter().chain(numbers.map(event)).collect::<Vec<_>>().concat();
    let appended = timeout(SOON, raw.call("streams.Streams/Append", None, body)).await;
    assert_eq!(appended.expect("no writer waits for a reader").code, 0);
}

/// A reader on a connection of its own, and what it got and did not look at yet.
struct Reader {
    _raw: Raw,
    body: Incoming,
    bytes: Vec<u8>,
}

impl Reader {
    /// Follows all streams.
    async fn subscribe(server: &Server) -> Self {
        let raw = Raw::connect(server.address).await;
        let options = [field(2, &field(2, &[])), field(6, &[]), field(8, &[])].concat();
        let body = framed(&field(1, &options));
        let response = raw.open("1H", "streams.Streams/Read", None, body).await;
        Self { _raw: raw, body: response.into_body(), bytes: Vec::new() }
    }

    /// Consumes in a new group.
    async fn consume(server: &Server, name: &str) -> Self {
        let id = GroupId::parse("order-1", name).unwrap();
        let settings = Settings { order_by: OrderBy::Nothing, ..Settings::default() };
        server.groups.create(&id, settings).await.unwrap();
        let raw = Raw::connect(server.address).await;
        let options = [field(1, &stream()), field(2, name.as_bytes()), number(3, CREDIT)].concat();
        let path = "persistent_subscriptions.PersistentSubscriptions/Read";
        let response = raw.open_and_wait(path, framed(&field(1, &options))).await;
        Self { _raw: raw, body: response.into_body(), bytes: Vec::new() }
    }

    /// The number of the next event; other messages are left out.
    async fn next(&mut self) -> u64 {
        loop {
            while let Some((message, rest)) = split(&self.bytes) {
                let at = message.windows(MARK.len()).position(|part| part == MARK);
                let digits = at.map(|at| &message[at + MARK.len()..][..DIGITS]);
                let number = digits.map(|digits| std::str::from_utf8(digits).unwrap().parse());
                self.bytes.drain(..self.bytes.len() - rest);
                if let Some(number) = number {
                    return number.unwrap();
                }
            }
            let frame = timeout(SOON, self.body.frame()).await.expect("it comes soon");
            self.bytes.extend(frame.unwrap().unwrap().into_data().unwrap());
        }
    }
}

/// The first message, and how many bytes come after it.
fn split(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let (head, rest) = bytes.split_at_checked(5)?;
    let length = u32::from_be_bytes(head[1..].try_into().unwrap());
    let (message, rest) = rest.split_at_checked(usize::try_from(length).unwrap())?;
    Some((message, rest.len()))
}

#[tokio::test]
async fn readers_that_never_read_hold_up_nobody_take_no_memory_and_miss_nothing() {
    let server = Server::open().await;
    let (mut subscribers, mut consumers) = (Vec::new(), Vec::new());
    for at in 0..READERS {
        subscribers.push(Reader::subscribe(&server).await);
        consumers.push(Reader::consume(&server, &format!("mails-{at}")).await);
    }
    let writer = Raw::connect(server.address).await;
    let before = resident();
    for batch in 0..BATCHES {
        append(&writer, batch * EACH..(batch + 1) * EACH).await;
    }
    let grown = resident().saturating_sub(before);
    // What nobody has read yet is 1000 MB.
    assert!(grown < 2 * READERS * HELD_MAX, "{} MB", grown >> 20);
    for number in 0..BATCHES * EACH {
        assert_eq!(subscribers[0].next().await, number);
    }
    for number in 0..u64::from(CREDIT) {
        assert_eq!(consumers[0].next().await, number);
    }
}
