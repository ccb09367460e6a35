//! One record per request, and never a wait for the log.

use crate::{
    backend::Backend,
    site::{Site, route, table},
    wire::Wire,
};
use fairway_gateway::{AccessLog, Ending, Gateway, Settings, TcpConnector};
use fairway_model::Timestamp;
use std::sync::Arc;
use tokio::net::TcpListener;

#[tokio::test]
async fn a_record_says_what_became_of_a_request() {
    let backend = Backend::answering("hello").await;
    let mut site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send("POST /x?secret HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody").await;
    client.answer().await;
    let record = site.record().await;
    assert_eq!(record.method.as_ref().unwrap().as_str(), "POST");
    assert_eq!(record.path(), Some("/x"));
    assert_eq!(record.status.unwrap(), 200);
    assert_eq!((record.bytes_in, record.bytes_out), (4, 5));
    assert_eq!(record.service.as_ref().unwrap().as_str(), "orders");
    assert_eq!(record.backend, Some(backend.address));
    assert_eq!((record.retries, record.ending), (0, Ending::Complete));
    assert!(!serde_json::to_string(&record).unwrap().contains("secret"));
}

#[tokio::test]
async fn a_client_that_leaves_is_recorded_and_its_backend_let_go() {
    let (left, mut has_left) = tokio::sync::mpsc::channel(1);
    let backend = Backend::start(move |mut wire, _| {
        let left = left.clone();
        async move {
            wire.head().await;
            wire.rest().await;
            left.send(()).await.unwrap();
        }
    })
    .await;
    let mut site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    crate::wire::soon(async {
        while backend.connections() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(client);
    crate::wire::soon(has_left.recv()).await.unwrap();
    let record = site.record().await;
    assert_eq!((record.status, record.ending), (None, Ending::ClientGone));
}

#[tokio::test]
async fn a_response_that_breaks_off_breaks_off_at_the_client() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
    })
    .await;
    let mut site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    client.head().await;
    assert_eq!(client.rest().await, b"5\r\nhello\r\n", "no last chunk");
    assert_eq!(site.record().await.ending, Ending::BackendGone);
}

#[tokio::test]
async fn a_log_that_nobody_reads_holds_nothing_up() {
    let backend = Backend::answering("hello").await;
    let (log, records) = AccessLog::bounded(2, || Timestamp(0));
    let gateway = Gateway::with(Settings::default(), Arc::new(TcpConnector), Some(log));
    gateway.set_table(table(vec![route("/")], &[backend.address]));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { gateway.serve(listener, std::future::pending()).await });
    let mut client = Wire::connect(address).await;
    for _ in 0..10 {
        assert_eq!(client.get("/").await.body, "hello");
    }
    assert_eq!(records.dropped(), 8);
}
