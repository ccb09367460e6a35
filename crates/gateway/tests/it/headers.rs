//! What the gateway does with headers.

use crate::{backend::Backend, site::Site};

const REQUEST: &str = "GET / HTTP/1.1\r\n\
    Host: Shop.Example:8080\r\n\
    Connection: close, X-Private\r\n\
    X-Private: 1\r\n\
    Keep-Alive: timeout=5\r\n\
    Proxy-Connection: keep-alive\r\n\
    Proxy-Authorization: Basic x\r\n\
    TE: gzip\r\n\
    X-Forwarded-For: 10.9.9.9\r\n\
    Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\
    Tracestate: a=1\r\n\
    Cookie: a=1\r\n\
    X-Request-Id: mine-1\r\n\r\n";

#[tokio::test]
async fn a_service_sees_the_request_without_hop_by_hop_headers_and_who_it_is_for() {
    let backend = Backend::mirror().await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send(REQUEST).await;
    let answer = client.answer().await;
    let mut seen: Vec<_> = answer.body.lines().collect();
    seen.sort_unstable();
    let expected = [
        "GET / HTTP/1.1",
        "cookie: a=1",
        "forwarded: for=127.0.0.1;host=\"Shop.Example:8080\";proto=http",
        "host: Shop.Example:8080",
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "tracestate: a=1",
        "via: 1.1 fairway",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: Shop.Example:8080",
        "x-forwarded-proto: http",
        "x-request-id: mine-1",
    ];
    assert_eq!(seen, expected);
    assert_eq!(answer.head.get("x-request-id"), Some("mine-1"));
    assert_eq!(answer.head.get("connection"), Some("close"));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_client_sees_the_response_without_hop_by_hop_headers() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send(
            "HTTP/1.1 200 OK\r\nConnection: X-Private, close\r\nX-Private: 1\r\nKeep-Alive: x\r\n\
             Proxy-Authenticate: Basic\r\nUpgrade: h2c\r\nX-Public: 1\r\nSet-Cookie: a=1\r\n\
             Set-Cookie: b=2\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n",
        )
        .await;
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let head = site.client().await.get("/").await.head;
    let mut names: Vec<_> = head.fields.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let expected =
        ["content-length", "date", "set-cookie", "set-cookie", "x-public", "x-request-id"];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_request_without_an_id_gets_one_that_both_sides_see() {
    let backend = Backend::mirror().await;
    let mut site = Site::to(&[backend.address]).await;
    let answer = site.client().await.get("/").await;
    let id = answer.head.get("x-request-id").unwrap().to_owned();
    assert!(id.len() == 32 && answer.body.contains(&format!("\nx-request-id: {id}")));
    assert_eq!(site.record().await.request_id.unwrap(), id);
}

#[tokio::test]
async fn an_absolute_target_names_the_host() {
    let backend = Backend::mirror().await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send("GET http://real.example/x?y HTTP/1.1\r\nHost: other\r\n\r\n").await;
    let seen = client.answer().await.body;
    assert!(seen.starts_with("GET /x?y HTTP/1.1\n"), "{seen}");
    assert!(seen.contains("\nhost: real.example"), "{seen}");
}
