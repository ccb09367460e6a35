//! Who may do what.

use crate::{
    hostile::METHODS,
    raw::{Answer, Raw, field, framed, number},
    server::Server,
};
use fairway_kurrent::{Act, On, Refused, Rights};
use fairway_ledger::{Expected, NewEvent};
use http::HeaderValue;
use http_body_util::BodyExt;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;

/// How long a test waits.
const LONG: Duration = Duration::from_secs(20);

const OK: i32 = 0;
const DENIED: i32 = 7;
const UNKNOWN: i32 = 16;

/// `orders` may read and append to streams of orders, `all` may read all, `root` may do all.
#[derive(Debug, Default)]
struct Tokens {
    /// Whether all are known no more.
    are_revoked: AtomicBool,
}

impl Rights for Tokens {
    fn check(
        &self,
        authorization: Option<&HeaderValue>,
        act: Act,
        on: On<'_>,
    ) -> Result<(), Refused> {
        if self.are_revoked.load(Ordering::SeqCst) {
            return Err(Refused::Unknown);
        }
        let token = authorization.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let may = match token.ok_or(Refused::Unknown)? {
            "root" => true,
            "orders" => {
                let is_order = matches!(on, On::Stream(name) if name.category() == "order");
                is_order && act != Act::Manage
            }
            "all" => {
                let is_own = matches!(on, On::Stream(name) if name.is_system());
                act == Act::Read && !is_own
            }
            _ => return Err(Refused::Unknown),
        };
        if may { Ok(()) } else { Err(Refused::Forbidden) }
    }
}

/// `StreamIdentifier`.
fn stream(name: &str) -> Vec<u8> {
    field(3, name.as_bytes())
}

/// Reads all of a stream from its start.
async fn read(raw: &Raw, token: Option<&str>, name: &str) -> Answer {
    let of = [field(1, &stream(name)), field(3, &[])].concat();
    let options = [field(1, &of), number(5, 100), field(8, &[])].concat();
    raw.message("streams.Streams/Read", token, &field(1, &options)).await
}

async fn read_all(raw: &Raw, token: Option<&str>) -> Answer {
    let options = [field(2, &field(2, &[])), number(5, 100), field(8, &[])].concat();
    raw.message("streams.Streams/Read", token, &field(1, &options)).await
}

/// Appends one event to a stream.
async fn append(raw: &Raw, token: Option<&str>, name: &str, kind: &str) -> Answer {
    let options = field(1, &[field(1, &stream(name)), field(4, &[])].concat());
    let entry = |key: &str, value: &str| {
        field(2, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat())
    };
    let metadata = [entry("type", kind), entry("content-type", "application/json")].concat();
    let event = field(2, &[metadata, field(4, b"{}")].concat());
    let body = [framed(&options), framed(&event)].concat();
    raw.call("streams.Streams/Append", token, body).await
}

async fn delete(raw: &Raw, token: Option<&str>, name: &str) -> Answer {
    let options = [field(1, &stream(name)), field(4, &[])].concat();
    raw.message("streams.Streams/Delete", token, &field(1, &options)).await
}

#[tokio::test]
async fn nobody_does_what_there_is_no_right_to() {
    let server = Server::guarded(Arc::<Tokens>::default()).await;
    let raw = Raw::connect(server.address).await;
    let code = |answer: Answer| answer.code;
    assert_eq!(code(append(&raw, Some("orders"), "order-1", "placed").await), OK);
    assert_eq!(code(append(&raw, Some("orders"), "bill-1", "sent").await), DENIED);
    assert_eq!(code(append(&raw, Some("all"), "order-1", "placed").await), DENIED);
    assert_eq!(code(append(&raw, Some("forged"), "order-1", "placed").await), UNKNOWN);
    assert_eq!(code(append(&raw, None, "order-1", "placed").await), UNKNOWN);
    assert_eq!(code(read(&raw, Some("orders"), "order-1").await), OK);
    assert_eq!(code(read(&raw, Some("orders"), "bill-1").await), DENIED);
    assert_eq!(code(read_all(&raw, Some("orders")).await), DENIED);
    assert_eq!(code(read_all(&raw, Some("all")).await), OK);
    assert_eq!(code(delete(&raw, Some("orders"), "order-1").await), DENIED);
    assert_eq!(code(delete(&raw, Some("root"), "order-1").await), OK);
    let denied = delete(&raw, None, "order-1").await;
    assert_eq!(
        (denied.code, &denied.trailers["exception"]),
        (UNKNOWN, &"access-denied".parse().unwrap())
    );
}

#[tokio::test]
async fn metadata_are_written_by_those_who_manage() {
    let server = Server::guarded(Arc::<Tokens>::default()).await;
    let raw = Raw::connect(server.address).await;
    assert_eq!(append(&raw, Some("orders"), "$$order-1", "$metadata").await.code, DENIED);
    assert_eq!(append(&raw, Some("root"), "$$order-1", "$metadata").await.code, OK);
    let invalid = append(&raw, Some("root"), "$$order-1", "$streamDeleted").await;
    assert_eq!(invalid.code, 3, "nobody closes a stream by an append");
}

#[tokio::test]
async fn the_ledgers_own_streams_are_written_by_it_alone_and_seen_by_few() {
    let server = Server::guarded(Arc::<Tokens>::default()).await;
    let raw = Raw::connect(server.address).await;
    for name in ["$group-1", "$$$group-1"] {
        assert_eq!(append(&raw, Some("root"), name, "$metadata").await.code, DENIED);
        assert_eq!(delete(&raw, Some("root"), name).await.code, DENIED);
    }
    let secret = NewEvent::new("very-secret", &1).unwrap();
    let own = "$group-1".parse().unwrap();
    server.ledger.append(&own, Expected::Any, vec![secret]).await.unwrap();
    let has_it = |answer: &Answer| answer.body.windows(12).any(|text| text == b"$very-secret");
    assert!(!has_it(&read_all(&raw, Some("all")).await));
    assert!(has_it(&read_all(&raw, Some("root")).await));
}

#[tokio::test]
async fn groups_are_managed_by_those_who_may() {
    let server = Server::guarded(Arc::<Tokens>::default()).await;
    let raw = Raw::connect(server.address).await;
    let service = "persistent_subscriptions.PersistentSubscriptions";
    let of = field(4, &[field(1, &stream("order-1")), field(3, &[])].concat());
    let create = field(1, &[of, field(2, b"mails"), field(3, &[])].concat());
    let call = async |method: &str, token, message: &[u8]| {
        raw.message(&format!("{service}/{method}"), token, message).await.code
    };
    assert_eq!(call("Create", Some("orders"), &create).await, DENIED);
    assert_eq!(call("Create", Some("root"), &create).await, OK);
    let group = [field(1, &stream("order-1")), field(2, b"mails")].concat();
    assert_eq!(call("Read", Some("all"), &field(1, &group)).await, OK);
    assert_eq!(call("Read", None, &field(1, &group)).await, UNKNOWN);
    assert_eq!(call("Delete", Some("all"), &field(1, &group)).await, DENIED);
    assert_eq!(call("RestartSubsystem", Some("orders"), &[]).await, DENIED);
    assert_eq!(call("Delete", Some("root"), &field(1, &group)).await, OK);
}

#[tokio::test]
async fn every_call_is_refused_to_who_is_not_known_before_it_is_read() {
    let server = Server::guarded(Arc::<Tokens>::default()).await;
    let raw = Raw::connect(server.address).await;
    let methods = METHODS.iter().filter(|method| !method.contains("gossip"));
    for method in methods.filter(|method| !method.contains("features")) {
        for token in [None, Some("forged"), Some("")] {
            // It says how long the message is, and sends none of it.
            let claimed = [0, 0, 0, 0x10, 0].to_vec();
            let answer = raw.call(method, token, claimed).await;
            assert_eq!(answer.code, UNKNOWN, "{method} {token:?}");
        }
    }
}

#[tokio::test]
async fn who_follows_gets_nothing_more_when_the_token_is_taken_away() {
    let tokens = Arc::<Tokens>::default();
    let server = Server::guarded(tokens.clone()).await;
    let raw = Raw::connect(server.address).await;
    assert_eq!(append(&raw, Some("orders"), "order-1", "placed").await.code, OK);
    let of = [field(1, &stream("order-1")), field(3, &[])].concat();
    let options = [field(1, &of), field(6, &[]), field(8, &[])].concat();
    let body = framed(&field(1, &options));
    let response = raw.open("1H", "streams.Streams/Read", Some("orders"), body).await;
    let headers = response.headers().clone();
    let mut body = response.into_body();
    let mut seen = Vec::new();
    while !has(&seen, b"placed") {
        let frame = timeout(LONG, body.frame()).await.expect("it comes").unwrap().unwrap();
        seen.extend(frame.into_data().unwrap());
    }
    tokens.are_revoked.store(true, Ordering::SeqCst);
    let event = NewEvent::new("very-secret", &1).unwrap();
    server.ledger.append(&"order-1".parse().unwrap(), Expected::Any, vec![event]).await.unwrap();
    let ended = timeout(LONG, Answer::of(headers, body)).await.expect("it ends");
    assert_eq!((ended.code, has(&ended.body, b"very-secret")), (UNKNOWN, false));
}

fn has(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|part| part == text)
}
