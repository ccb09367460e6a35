//! What the gateway does not pass on.

use crate::{
    backend::Backend,
    site::{Site, route, table},
};

/// Requests that two readers could understand in two ways, or that are not HTTP at all.
const MALFORMED: &[(&str, &str)] = &[
    (
        "length and chunked",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked and length",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    ),
    (
        "two lengths",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    ),
    (
        "the same length twice",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    ),
    ("a list of lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc"),
    ("a signed length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc"),
    ("a negative length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"),
    ("another coding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"),
    (
        "a coding before chunked",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "a coding behind chunked",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked twice",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "nearly chunked",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked in HTTP/1.0",
        "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    ("a folded header", "GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n 2\r\n\r\n"),
    (
        "a folded coding",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    ),
    ("a space before the colon", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\nabc"),
    ("a bare carriage return", "GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\rX-B: 2\r\n\r\n"),
    ("a NUL", "GET / HTTP/1.1\r\nHost: h\r\nX-A: \0\r\n\r\n"),
    ("no host", "GET / HTTP/1.1\r\n\r\n"),
    ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("a bad host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    ("a dot segment", "GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("an encoded dot segment", "GET /a/%2e%2E/b HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("not HTTP", "hello\r\n\r\n"),
    ("an unknown version", "GET / HTTP/9.9\r\nHost: h\r\n\r\n"),
];

#[tokio::test]
async fn a_malformed_or_ambiguous_request_is_refused_and_its_connection_closed() {
    let backend = Backend::answering("reached").await;
    let mut site = Site::to(&[backend.address]).await;
    for (what, request) in MALFORMED {
        let mut client = site.client().await;
        client.send(request).await;
        client.send("GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n").await;
        let answer = client.answer().await;
        assert_eq!(answer.head.status(), 400, "{what}: {answer:?}");
        let media = answer.head.get("content-type");
        assert_eq!(media, Some("application/problem+json"), "{what}");
        let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(problem["status"], 400, "{what}");
        assert_eq!(problem["title"], "Bad Request", "{what}");
        assert!(client.is_closed().await, "{what}");
        assert_eq!(site.record().await.status.unwrap(), 400, "{what}");
    }
    assert_eq!(backend.connections(), 0);
}

#[tokio::test]
async fn an_ambiguous_request_in_pieces_is_refused_too() {
    let backend = Backend::answering("reached").await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    assert_eq!(client.get("/").await.body, "reached");
    let request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    for byte in request.as_bytes().chunks(7) {
        client.send(byte).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(client.answer().await.head.status(), 400);
}

#[tokio::test]
async fn an_ambiguous_request_behind_a_good_one_is_refused_too() {
    let backend = Backend::answering("reached").await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    client
        .send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc")
        .await;
    let rest = String::from_utf8(client.rest().await).unwrap();
    assert!(rest.contains("HTTP/1.1 400 Bad Request"), "{rest}");
    assert!(backend.connections() <= 1);
}

#[tokio::test]
async fn a_body_that_looks_like_a_head_is_a_body() {
    let backend = Backend::answering("reached").await;
    let site = Site::to(&[backend.address]).await;
    let body = "\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut client = site.client().await;
    for _ in 0..3 {
        let length = body.len();
        client
            .send(format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n"))
            .await;
        client.send(body).await;
        assert_eq!(client.answer().await.body, "reached");
    }
}

#[tokio::test]
async fn a_bad_chunk_ends_the_request() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.rest().await;
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    for chunk in ["zz\r\n", "-1\r\n", "5\r\nabcdeXX", "ffffffffffffffffff\r\n", "1 \nx"] {
        let mut client = site.client().await;
        client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        client.send(chunk).await;
        client.send("0\r\n\r\n").await;
        let text = String::from_utf8(client.rest().await).unwrap();
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 400 "), "{chunk:?}: {text}");
    }
}

#[tokio::test]
async fn connect_is_not_allowed() {
    let site = Site::to(&[]).await;
    let mut client = site.client().await;
    client.send("CONNECT example:443 HTTP/1.1\r\nHost: example\r\n\r\n").await;
    assert_eq!(client.answer().await.head.status(), 405);
}

#[tokio::test]
async fn a_request_that_no_route_matches_gets_404() {
    let backend = Backend::answering("reached").await;
    let mut site = Site::to(&[]).await;
    site.gateway.set_table(table(vec![route("/orders")], &[backend.address]));
    let answer = site.client().await.get("/ordersx").await;
    assert_eq!(answer.head.status(), 404);
    let problem: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    let id = answer.head.get("x-request-id").unwrap();
    assert_eq!(problem["type"], "urn:fairway:problem:no-route");
    assert_eq!(problem["instance"], format!("urn:fairway:request:{id}"));
    assert_eq!(site.record().await.service, None);
}

#[tokio::test]
async fn a_service_without_a_ready_backend_is_unavailable_for_now() {
    let mut site = Site::to(&[]).await;
    let answer = site.client().await.get("/").await;
    assert_eq!((answer.head.status(), answer.head.get("retry-after")), (503, Some("1")));
    assert!(answer.body.contains("urn:fairway:problem:no-backend"));
    assert_eq!(site.record().await.service.unwrap().as_str(), "orders");
}

#[tokio::test]
async fn a_backend_that_does_not_accept_or_does_not_speak_http_is_a_bad_gateway() {
    let garbage = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send("SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
    })
    .await;
    for address in [Backend::nowhere().await, garbage.address] {
        let site = Site::to(&[address]).await;
        let answer = site.client().await.get("/").await;
        assert_eq!(answer.head.status(), 502);
        assert_eq!(answer.head.get("content-type"), Some("application/problem+json"));
    }
}
