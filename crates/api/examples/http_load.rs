//! Measures a server of events as `ledger_load append` measures a ledger: writers, each with a
//! connection and a stream of its own, send a 256-byte event and wait for the answer before they send
//! the next. Prints one JSON object.
//!
//! Usage: `http_load ADDRESS WRITERS SECONDS`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for measuring alone")]

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::{net::TcpStream, task::JoinSet};

/// Bytes of data of one event.
const EVENT_BYTES: usize = 256;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, writers, seconds] = arguments.as_slice() else {
        panic!("see the head of this program for what it takes")
    };
    let time = Duration::from_secs_f64(seconds.parse().unwrap());
    let text = "x".repeat(EVENT_BYTES - 2);
    let body = Bytes::from(json!({ "kind": "measured", "data": text }).to_string());
    let start = Instant::now();
    let mut all = JoinSet::new();
    for number in 0..writers.parse::<u64>().unwrap() {
        let (mut server, body) = (connect(address).await, body.clone());
        let (uri, host) = (format!("/v1/streams/writer-{number}"), address.clone());
        all.spawn(async move {
            let mut times = Vec::new();
            while start.elapsed() < time {
                let before = Instant::now();
                let request = Request::post(&uri).header("host", &host);
                let request = request.header("content-type", "application/json");
                let request = request.body(Full::new(body.clone())).unwrap();
                let answer = server.send_request(request).await.unwrap();
                assert_eq!(answer.status(), StatusCode::CREATED);
                answer.into_body().collect().await.unwrap();
                times.push(before.elapsed());
            }
            times
        });
    }
    let mut times: Vec<Duration> = all.join_all().await.into_iter().flatten().collect();
    let elapsed = start.elapsed();
    times.sort();
    let count = u32::try_from(times.len()).unwrap();
    println!(
        "{}",
        json!({
            "per_second": f64::from(count) / elapsed.as_secs_f64(),
            "p50_ms": times[times.len() / 2].as_secs_f64() * 1e3,
            "p99_ms": times[times.len() * 99 / 100].as_secs_f64() * 1e3,
        })
    );
}

async fn connect(address: &str) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (server, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    server
}
