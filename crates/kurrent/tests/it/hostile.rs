//! Callers that send what no client does.

#[path = "../../src/damage.rs"]
mod damage;

use crate::{
    raw::{Raw, field, framed, number},
    server::Server,
};
use fairway_kurrent::Open;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use std::{sync::Arc, time::Duration};

/// How long a test waits.
const LONG: Duration = Duration::from_secs(20);
const INVALID: i32 = 3;
const LATE: i32 = 4;
const TOO_MUCH: i32 = 8;
const UNKNOWN_METHOD: i32 = 12;
const INTERNAL: i32 = 13;

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

#[tokio::test]
async fn what_was_begun_and_does_not_go_on_is_given_up() {
    let patience = Duration::from_millis(100);
    let server = Server::with(Arc::new(Open), |kurrent| kurrent.with_patience(patience)).await;
    let raw = Raw::connect(server.address).await;
    let part = framed(&messages()[4][..20]);
    // A message of which a part is missing, and a batch of which one is.
    let batch = framed(&messages()[4][..messages()[4].len() - 2]);
    for (method, begun) in [
        ("streams.Streams/Append", &part[..10]),
        ("streams.Streams/Read", &part[..10]),
        ("streams.Streams/BatchAppend", &part[..10]),
        ("streams.Streams/BatchAppend", &batch),
    ] {
        let call = raw.call_and_wait(method, begun.to_vec());
        let answer = tokio::time::timeout(LONG, call).await.expect("it is given up");
        assert_eq!(answer.code, LATE, "{method}");
    }
    assert_eq!(server.ledger.head().await.unwrap().0, 0);
}

#[tokio::test]
async fn where_the_ledger_is_is_told_to_who_runs_the_server() {
    let (say, mut said) = tokio::sync::mpsc::channel(4);
    let server = Server::with(Arc::new(Open), |kurrent| kurrent.with_faults(say)).await;
    let raw = Raw::connect(server.address).await;
    let place = server.ledger.place();
    // Whoever changes the file behind its back breaks it.
    let script = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('DROP TABLE streams')";
    let mut python = std::process::Command::new("python3");
    assert!(python.args(["-c", script, &place]).status().unwrap().success());
    let append = [framed(&messages()[2]), framed(&messages()[3])].concat();
    let answer = raw.call("streams.Streams/Append", None, append).await;
    assert_eq!(answer.code, INTERNAL);
    let told = answer.trailers["grpc-message"].to_str().unwrap();
    assert_eq!(told, "the%20ledger%20has%20a%20fault");
    let said = tokio::time::timeout(LONG, said.recv()).await.unwrap().unwrap();
    assert!(said.contains(&place), "{said}");
}
