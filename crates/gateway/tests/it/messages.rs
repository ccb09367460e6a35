//! Requests and responses of all kinds pass unharmed.

use crate::{
    backend::{Backend, answer, request, serve},
    site::{Site, route, table},
    wire::soon,
};
use fairway_gateway::Route;

#[tokio::test]
async fn a_request_reaches_its_service_and_the_response_comes_back() {
    let backend = Backend::mirror().await;
    let site = Site::to(&[backend.address]).await;
    let answer = site.client().await.get("/orders/1?x=%2F&y").await;
    assert_eq!(answer.head.status(), 200);
    assert!(answer.body.starts_with("GET /orders/1?x=%2F&y HTTP/1.1\n"), "{}", answer.body);
}

#[tokio::test]
async fn a_route_can_take_its_prefix_off() {
    let backend = Backend::mirror().await;
    let site = Site::to(&[]).await;
    let stripping = Route { strip_prefix: true, ..route("/api/orders") };
    site.gateway.set_table(table(vec![stripping], &[backend.address]));
    let mut client = site.client().await;
    assert!(client.get("/api/orders/1?x").await.body.starts_with("GET /1?x HTTP/1.1\n"));
    assert!(client.get("/api/orders").await.body.starts_with("GET / HTTP/1.1\n"));
}

#[tokio::test]
async fn requests_on_one_connection_share_one_connection_to_the_backend() {
    let backend = Backend::answering("hello").await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    for _ in 0..5 {
        assert_eq!(client.get("/").await.body, "hello");
    }
    let mut other = site.client().await;
    assert_eq!(other.get("/").await.body, "hello");
    assert_eq!(backend.connections(), 1);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let backend = Backend::mirror().await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    let requests = ["/a", "/b", "/c"].map(|path| format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
    client.send(requests.concat()).await;
    for path in ["/a", "/b", "/c"] {
        assert!(client.answer().await.body.starts_with(&format!("GET {path} ")));
    }
}

#[tokio::test]
async fn a_response_to_head_has_its_length_and_no_body() {
    let backend = Backend::start(|mut wire, _| async move {
        while wire.try_head().await.is_some() {
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n").await;
        }
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    for _ in 0..2 {
        client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").await;
        let head = client.head().await;
        assert_eq!((head.status(), head.get("content-length")), (200, Some("1234")));
    }
    assert_eq!(backend.connections(), 1);
}

#[tokio::test]
async fn responses_without_a_body_keep_both_connections() {
    let backend = Backend::start(|mut wire, _| async move {
        while wire.try_head().await.is_some() {
            wire.send("HTTP/1.1 204 No Content\r\n\r\n").await;
            wire.head().await;
            wire.send("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n").await;
        }
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    assert_eq!(client.get("/").await.head.status(), 204);
    assert_eq!(client.get("/").await.head.get("etag"), Some("\"a\""));
    assert_eq!(client.get("/").await.head.status(), 204);
    assert_eq!(backend.connections(), 1);
}

#[tokio::test]
async fn an_http_1_0_client_is_served() {
    let backend = Backend::mirror().await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send("GET /old HTTP/1.0\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!(answer.head.first, "HTTP/1.0 200 OK");
    assert!(answer.body.starts_with("GET /old HTTP/1.1\n"), "{}", answer.body);
    assert!(answer.body.contains("\nhost: orders"), "{}", answer.body);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn an_http_1_0_client_that_asks_to_keeps_its_connection() {
    let backend = Backend::answering("hello").await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    for _ in 0..2 {
        client.send("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n").await;
        let answer = client.answer().await;
        assert_eq!(answer.head.get("connection"), Some("keep-alive"));
        assert_eq!(answer.body, "hello");
    }
}

#[tokio::test]
async fn an_http_1_0_client_gets_a_body_of_unknown_length_until_the_end() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
            .await;
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send("GET / HTTP/1.0\r\n\r\n").await;
    assert!(!client.head().await.is_chunked());
    assert_eq!(client.rest().await, b"hello");
}

#[tokio::test]
async fn a_backends_body_that_ends_with_its_connection_is_passed_on() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.0 200 OK\r\n\r\nuntil the end").await;
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    for _ in 0..2 {
        assert_eq!(client.get("/").await.body, "until the end");
    }
    assert_eq!(backend.connections(), 2);
}

#[tokio::test]
async fn a_body_goes_up_and_the_connections_are_kept() {
    let backend = Backend::start(|mut wire, _| async move {
        loop {
            let (_, body) = request(&mut wire).await;
            wire.send(answer(&String::from_utf8(body).unwrap())).await;
        }
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello").await;
    assert_eq!(client.answer().await.body, "hello");
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    client.send("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").await;
    assert_eq!(client.answer().await.body, "abcde");
    assert_eq!(backend.connections(), 1);
}

#[tokio::test]
async fn requests_are_spread_over_the_ready_backends() {
    let (one, two) = (Backend::answering("one").await, Backend::answering("two").await);
    let site = Site::to(&[one.address, two.address]).await;
    let mut client = site.client().await;
    let mut seen = std::collections::BTreeSet::new();
    soon(async {
        while seen.len() < 2 {
            seen.insert(client.get("/").await.body);
        }
    })
    .await;
}

#[tokio::test]
async fn a_response_that_states_its_length_twice_is_read_by_its_coding() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n")
            .await;
        wire.send("5\r\nhello\r\n0\r\n\r\n").await;
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let answer = site.client().await.get("/").await;
    assert_eq!(answer.head.get("content-length"), None);
    assert_eq!(answer.body, "hello");
}

#[tokio::test]
async fn a_response_in_a_coding_nobody_asked_for_is_a_bad_gateway() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n").await;
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    assert_eq!(site.client().await.get("/").await.head.status(), 502);
}

#[tokio::test]
async fn responses_that_lie_about_bodies_they_cannot_have_are_put_right() {
    let backend = Backend::start(|mut wire, _| async move {
        for status in ["204 No Content", "304 Not Modified"] {
            wire.head().await;
            wire.send(format!("HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\n")).await;
        }
        serve(wire, "hello").await;
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    for status in [204, 304, 200] {
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
        let head = client.head().await;
        assert_eq!(head.status(), status);
        if status == 200 {
            assert_eq!(client.body(&head).await, b"hello");
        }
    }
}
