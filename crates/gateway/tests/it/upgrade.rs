//! Connections that change their protocol.

use crate::{
    backend::{Backend, answer},
    site::Site,
    wire::Wire,
};
use fairway_gateway::Ending;

/// The handshake of RFC 6455, section 1.3.
const HANDSHAKE: &str = "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBITxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
/// "Hello" in one masked and one unmasked frame (RFC 6455, section 5.7).
const MASKED: [u8; 11] = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
const UNMASKED: [u8; 7] = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];

/// Answers each masked "Hello" with an unmasked one.
async fn web_socket(mut wire: Wire, _: usize) {
    let head = wire.head().await;
    assert_eq!(head.get("upgrade"), Some("websocket"));
    assert_eq!(head.get("connection"), Some("upgrade"));
    assert_eq!(head.get("sec-websocket-key"), Some("dGhlIHNhbXBsZSBub25jZQ=="));
    wire.send([SWITCH.as_bytes(), &UNMASKED].concat()).await;
    for _ in 0..2 {
        assert_eq!(wire.bytes(MASKED.len()).await, MASKED);
        wire.send(UNMASKED).await;
    }
}

#[tokio::test]
async fn a_web_socket_passes_both_ways() {
    let backend = Backend::start(web_socket).await;
    let mut site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    // The first frame comes with the handshake; that is early, and not lost.
    client.send([HANDSHAKE.as_bytes(), &MASKED].concat()).await;
    let head = client.head().await;
    assert_eq!(head.status(), 101);
    assert_eq!(head.get("connection"), Some("Upgrade"));
    assert_eq!(head.get("upgrade"), Some("websocket"));
    assert_eq!(head.get("sec-websocket-accept"), Some("s3pPLMBITxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(client.bytes(UNMASKED.len()).await, UNMASKED);
    assert_eq!(client.bytes(UNMASKED.len()).await, UNMASKED);
    client.send(MASKED).await;
    assert_eq!(client.bytes(UNMASKED.len()).await, UNMASKED);
    assert!(client.is_closed().await);
    drop(client);
    let record = site.record().await;
    assert_eq!((record.status.unwrap().as_u16(), record.ending), (101, Ending::Complete));
    assert_eq!((record.bytes_in, record.bytes_out), (22, 21));
}

#[tokio::test]
async fn a_backend_can_decline_to_change_the_protocol() {
    let backend = Backend::answering("no").await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    for _ in 0..2 {
        client.send(HANDSHAKE).await;
        assert_eq!(client.answer().await.body, "no");
    }
}

#[tokio::test]
async fn a_change_to_http_2_is_not_passed_on() {
    let backend = Backend::mirror().await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\n").await;
    client.send("Upgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!(answer.head.status(), 200);
    assert!(!answer.body.contains("upgrade") && !answer.body.contains("http2"), "{}", answer.body);
}

#[tokio::test]
async fn a_change_that_nobody_asked_for_is_a_bad_gateway() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send(SWITCH).await;
        wire.send(answer("smuggled")).await;
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    assert_eq!(client.get("/").await.head.status(), 502);
    assert_eq!(client.get("/").await.head.status(), 502);
}

#[tokio::test]
async fn a_half_closed_tunnel_still_passes_the_other_way() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send(SWITCH).await;
        let said = wire.rest().await;
        wire.send([b"you said ", &said[..]].concat()).await;
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send(HANDSHAKE).await;
    assert_eq!(client.head().await.status(), 101);
    client.send("bye").await;
    tokio::io::AsyncWriteExt::shutdown(&mut client.stream).await.unwrap();
    assert_eq!(client.rest().await, b"you said bye");
}
