//! Measures JetStream of NATS as `ledger_load append` measures a ledger: publishers that each wait
//! for the acknowledgement of a 256-byte message before they send the next. Prints one JSON object.
//!
//! Usage: `nats_load ADDRESS PUBLISHERS SECONDS`. Protocol: docs.nats.io, "Client Protocol".

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program for measuring alone"
)]

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
    task::JoinSet,
};

const MESSAGE_BYTES: usize = 256;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, publishers, seconds] = arguments.as_slice() else {
        panic!("see the head of this program for what it takes")
    };
    let time = Duration::from_secs_f64(seconds.parse().unwrap());
    let stream = json!({ "name": "load", "subjects": ["load.>"], "storage": "file" }).to_string();
    let mut client = Client::connect(address, 0).await;
    let made = client.request("$JS.API.STREAM.CREATE.load", stream.as_bytes()).await;
    assert!(made.get("error").is_none(), "{made}");

    let start = Instant::now();
    let mut all = JoinSet::new();
    for number in 1..=publishers.parse::<u64>().unwrap() {
        let mut client = Client::connect(address, number).await;
        all.spawn(async move {
            let (subject, mut times) = (format!("load.{number}"), Vec::new());
            while start.elapsed() < time {
                let before = Instant::now();
                let answer = client.request(&subject, &[b'x'; MESSAGE_BYTES]).await;
                assert!(answer["seq"].is_u64(), "{answer}");
                times.push(before.elapsed());
            }
            times
        });
    }
    let mut times: Vec<Duration> = all.join_all().await.into_iter().flatten().collect();
    times.sort();
    println!(
        "{}",
        json!({
            "per_second": times.len() as f64 / start.elapsed().as_secs_f64(),
            "p50_ms": times[times.len() / 2].as_secs_f64() * 1e3,
            "p99_ms": times[times.len() * 99 / 100].as_secs_f64() * 1e3,
        })
    );
}

/// A connection that asks one thing at a time.
struct Client {
    connection: BufStream<TcpStream>,
    inbox: String,
}

impl Client {
    async fn connect(address: &str, number: u64) -> Self {
        let connection = TcpStream::connect(address).await.unwrap();
        connection.set_nodelay(true).unwrap();
        let inbox = format!("_INBOX.{}.{number}", std::process::id());
        let mut client = Self { connection: BufStream::new(connection), inbox };
        let hello = format!(
            "CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\nSUB {} 1\r\n",
            client.inbox
        );
        client.connection.write_all(hello.as_bytes()).await.unwrap();
        client
    }

    async fn request(&mut self, subject: &str, payload: &[u8]) -> Value {
        let head = format!("PUB {subject} {} {}\r\n", self.inbox, payload.len());
        self.connection.write_all(head.as_bytes()).await.unwrap();
        self.connection.write_all(payload).await.unwrap();
        self.connection.write_all(b"\r\n").await.unwrap();
        self.connection.flush().await.unwrap();
        loop {
            let mut line = String::new();
            self.connection.read_line(&mut line).await.unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["MSG", .., length] => {
                    let mut message = vec![0; length.parse::<usize>().unwrap() + "\r\n".len()];
                    self.connection.read_exact(&mut message).await.unwrap();
                    return serde_json::from_slice(&message).unwrap();
                }
                ["PING"] => self.connection.write_all(b"PONG\r\n").await.unwrap(),
                ["INFO", ..] | ["PONG"] => {}
                other => panic!("the server said {other:?}"),
            }
        }
    }
}
