//! Callers that send what no client does.

#[path = "../../src/damage.rs"]
mod damage;

use crate::{
    raw::{Raw, field, framed, number},
    server::Server,
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

const INVALID: i32 = 3;
const TOO_MUCH: i32 = 8;
const UNKNOWN_METHOD: i32 = 12;

/// The calls of the first protocol.
pub(crate) const METHODS: &[&str] = &[
    "streams.Streams/Read",
    "streams.Streams/Append",
    "streams.Streams/BatchAppend",
    "streams.Streams/Delete",
    "streams.Streams/Tombstone",
    "persistent_subscriptions.PersistentSubscriptions/Read",
    "persistent_subscriptions.PersistentSubscriptions/Create",
    "persistent_subscriptions.PersistentSubscriptions/Update",
    "persistent_subscriptions.PersistentSubscriptions/Delete",
    "persistent_subscriptions.PersistentSubscriptions/GetInfo",
    "persistent_subscriptions.PersistentSubscriptions/List",
    "persistent_subscriptions.PersistentSubscriptions/ReplayParked",
    "persistent_subscriptions.PersistentSubscriptions/RestartSubsystem",
    "gossip.Gossip/Read",
    "server_features.ServerFeatures/GetSupportedMethods",
];

#[tokio::test]
async fn any_bytes_are_answered() {
    let server = Server::open().await;
    let raw = Raw::connect(server.address).await;
    let mut runner = TestRunner::new(Config::default());
    let bytes = prop_oneof![
        any::<Vec<u8>>(),
        any::<Vec<u8>>().prop_map(|message| framed(&message)),
        any::<Vec<u8>>().prop_map(|message| framed(&field(1, &message[..message.len().min(100)]))),
    ];
    for _ in 0..40 {
        for method in METHODS {
            let body = bytes.new_tree(&mut runner).unwrap().current();
            raw.call(method, None, body).await;
        }
    }
    assert_eq!(server.ledger.head().await.unwrap().0, 0, "nothing of it was an event");
    assert_eq!(raw.message("gossip.Gossip/Read", None, &[]).await.code, 0);
}

/// Messages that are right somewhere, all about the stream `order-1`.
fn messages() -> Vec<Vec<u8>> {
    let stream = field(3, b"order-1");
    let entry = |key: &str, value: &str| {
        field(2, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat())
    };
    let event = [entry("type", "paid"), entry("content-type", "application/json"), field(4, b"{}")];
    let event = event.concat();
    let options = [field(1, &stream), field(4, &[])].concat();
    let all = [field(2, &field(2, &[])), number(5, 9), field(8, &[])].concat();
    let one =
        [field(1, &[field(1, &stream), field(3, &[])].concat()), field(6, &[]), field(8, &[])];
    let group = [field(1, &stream), field(2, b"mails")].concat();
    let setting = [field(4, &[field(1, &stream), field(3, &[])].concat()), field(2, b"mails")];
    let batch = [field(1, &field(2, b"a")), field(2, &options), field(3, &event), number(4, 1)];
    vec![
        field(1, &all),
        field(1, &one.concat()),
        field(1, &options),
        field(2, &event),
        batch.concat(),
        field(1, &[setting.concat(), field(3, &number(5, 3))].concat()),
        field(1, &group),
        field(2, &field(2, &field(2, b"a"))),
    ]
}

#[tokio::test]
async fn damaged_messages_are_answered() {
    let server = Server::open().await;
    let raw = Raw::connect(server.address).await;
    let undamaged = messages();
    let append = [framed(&undamaged[2]), framed(&undamaged[3])].concat();
    assert_eq!(raw.call("streams.Streams/Append", None, append).await.code, 0);
    assert_eq!(raw.call("streams.Streams/BatchAppend", None, framed(&undamaged[4])).await.code, 0);
    let mut runner = TestRunner::new(Config::default());
    let calls = proptest::collection::vec(damage::damaged(messages()), 1..4);
    for _ in 0..12 {
        for method in METHODS {
            let messages = calls.new_tree(&mut runner).unwrap().current();
            let body: Vec<u8> = messages.iter().flat_map(|message| framed(message)).collect();
            // What follows for ever ends by its deadline.
            let answer = raw.call_within("50m", method, None, body).await;
            assert!((0..=16).contains(&answer.code), "{method} {messages:?}");
        }
    }
    assert_eq!(raw.message("gossip.Gossip/Read", None, &[]).await.code, 0);
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_read() {
    let server = Server::open().await;
    let raw = Raw::connect(server.address).await;
    for method in METHODS {
        let claimed = [0, 0xff, 0xff, 0xff, 0xff].to_vec();
        let answer = raw.call(method, None, claimed).await;
        assert!([11, TOO_MUCH].contains(&answer.code), "{method}: {}", answer.code);
    }
    let many = framed(&[0x1a, 0x00].repeat(1 << 20));
    let answer = raw.call("streams.Streams/BatchAppend", None, many).await;
    assert_eq!(answer.code, TOO_MUCH, "a million empty events");
    let compressed = [1, 0, 0, 0, 0].to_vec();
    assert_ne!(raw.call("streams.Streams/Read", None, compressed).await.code, 0);
}

#[tokio::test]
async fn deep_messages_and_expensive_expressions_are_refused() {
    let server = Server::open().await;
    let raw = Raw::connect(server.address).await;
    let read = async |filter: &[u8]| {
        let filter = field(7, &[field(2, filter), number(3, 1), number(5, 1)].concat());
        let options = [field(2, &field(2, &[])), number(5, 9), filter].concat();
        raw.message("streams.Streams/Read", None, &field(1, &options)).await.code
    };
    for expression in ["(", "(a{9999}){9999}", "\\", "(?<n>a)\\k<m>"] {
        assert_eq!(read(&field(1, expression.as_bytes())).await, INVALID, "{expression}");
    }
    let deep = (0..60)
        .fold(Vec::new(), |inner, _| if inner.len() < 120 { field(1, &inner) } else { inner });
    assert_ne!(raw.message("streams.Streams/Read", None, &deep).await.code, 0);
}

#[tokio::test]
async fn what_is_not_there_is_not_implemented() {
    let server = Server::open().await;
    let raw = Raw::connect(server.address).await;
    for path in ["streams.Streams/Steal", "projections.Projections/Create", "streams.Streams", ""] {
        assert_eq!(raw.message(path, None, &[]).await.code, UNKNOWN_METHOD, "{path}");
    }
    let bad_name = field(1, &[field(1, &field(3, b"../secret")), field(4, &[])].concat());
    assert_eq!(raw.message("streams.Streams/Delete", None, &bad_name).await.code, INVALID);
}
