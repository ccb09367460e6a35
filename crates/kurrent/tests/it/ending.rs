//! Servers that end while somebody listens.

use crate::{
    raw::{Raw, field},
    server::Server,
};
use std::time::Duration;

const UNAVAILABLE: i32 = 14;

#[tokio::test]
async fn subscriptions_end_with_their_server() {
    let server = Server::open().await;
    let raw = Raw::connect(server.address).await;
    let options = [field(2, &field(2, &[])), field(6, &[]), field(8, &[])].concat();
    let message = field(1, &options);
    let read = raw.message("streams.Streams/Read", None, &message);
    tokio::pin!(read);
    let early = tokio::time::timeout(Duration::from_millis(200), &mut read).await;
    assert!(early.is_err(), "it goes on for as long as somebody listens");
    server.kurrent.close();
    let ended = tokio::time::timeout(Duration::from_secs(20), read).await.unwrap();
    assert_eq!(ended.code, UNAVAILABLE);
    let late = raw.message("streams.Streams/Read", None, &message).await;
    assert_eq!(late.code, UNAVAILABLE);
}
