//! How much the gateway takes.

use crate::{backend::Backend, site::Site, wire::Wire};
use fairway_gateway::{HEADERS_MAX, Settings};

fn settings(change: impl FnOnce(&mut fairway_gateway::Limits)) -> Settings {
    let mut settings = Settings::default();
    change(&mut settings.limits);
    settings
}

async fn post(client: &mut Wire, framing: &str, body: &str) -> u16 {
    client.send(format!("POST / HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n{body}")).await;
    client.answer().await.head.status()
}

#[tokio::test]
async fn headers_that_are_too_long_or_too_many_get_431() {
    let backend = Backend::answering("reached").await;
    let site = Site::with(settings(|limits| limits.head_bytes = 4096), &[backend.address]).await;
    let long = format!("X-A: {}\r\n", "a".repeat(5000));
    let endless = format!("X-A: {}", "a".repeat(100_000));
    let many = "X-A: a\r\n".repeat(HEADERS_MAX);
    for fields in [long, endless, many] {
        let mut client = site.client().await;
        client.send(format!("GET / HTTP/1.1\r\nHost: h\r\n{fields}\r\n")).await;
        let answer = client.answer().await;
        assert_eq!(answer.head.status(), 431);
        assert!(answer.body.contains("urn:fairway:problem:head-too-large"));
        assert!(client.is_closed().await);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_gets_413() {
    let backend = Backend::answering("reached").await;
    let site = Site::with(settings(|limits| limits.body_bytes = Some(4)), &[backend.address]).await;
    assert_eq!(post(&mut site.client().await, "Content-Length: 4", "abcd").await, 200);
    assert_eq!(post(&mut site.client().await, "Content-Length: 5", "abcde").await, 413);
    let chunked = "Transfer-Encoding: chunked";
    assert_eq!(post(&mut site.client().await, chunked, "4\r\nabcd\r\n0\r\n\r\n").await, 200);
    assert_eq!(post(&mut site.client().await, chunked, "3\r\nabc\r\n2\r\nde\r\n").await, 413);
}

#[tokio::test]
async fn connections_over_the_limit_wait() {
    let backend = Backend::answering("reached").await;
    let site = Site::with(settings(|limits| limits.connections = 1), &[backend.address]).await;
    let mut first = site.client().await;
    assert_eq!(first.get("/").await.body, "reached");
    let mut second = site.client().await;
    second.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert_eq!(first.get("/").await.body, "reached");
    drop(first);
    assert_eq!(second.answer().await.body, "reached");
}

#[tokio::test]
async fn no_more_idle_connections_than_allowed_are_kept() {
    let backend = Backend::answering("reached").await;
    let site = Site::with(settings(|limits| limits.idle_per_backend = 0), &[backend.address]).await;
    let mut client = site.client().await;
    for count in 1..4 {
        client.get("/").await;
        assert_eq!(backend.connections(), count);
    }
}
