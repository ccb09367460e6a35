//! Bodies pass as they come, however long, and nothing piles up.

use crate::{
    backend::{Backend, answer},
    site::Site,
    wire::{PATIENCE, Wire, soon},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

const BLOCK: usize = 1 << 20;
const BLOCKS: usize = 1000;
/// What buffers of sockets and of the gateway may hold in all.
const BUFFERS_MAX: usize = 32 << 20;

async fn write_blocks(stream: &mut TcpStream, written: &AtomicUsize) {
    let block = vec![b'x'; BLOCK];
    for _ in 0..BLOCKS {
        let mut rest = &block[..];
        while !rest.is_empty() {
            let count = stream.write(rest).await.unwrap();
            written.fetch_add(count, SeqCst);
            rest = &rest[count..];
        }
    }
}

async fn read_blocks(stream: &mut TcpStream) -> usize {
    let (mut total, mut buffer) = (0, vec![0; BLOCK]);
    while total < BLOCK * BLOCKS {
        match soon(stream.read(&mut buffer)).await.unwrap() {
            0 => break,
            count => total += count,
        }
    }
    total
}

/// Waits until a count has stopped growing.
async fn settled(count: &AtomicUsize) -> usize {
    let begun = tokio::time::Instant::now();
    loop {
        let before = count.load(SeqCst);
        tokio::time::sleep(Duration::from_millis(200)).await;
        let after = count.load(SeqCst);
        if before == after && after > 0 {
            return after;
        }
        assert!(begun.elapsed() < PATIENCE, "it never stops");
    }
}

#[tokio::test]
async fn a_long_response_waits_for_its_client_and_then_comes_whole() {
    let written = Arc::new(AtomicUsize::new(0));
    let counted = written.clone();
    let backend = Backend::start(move |mut wire, _| {
        let counted = counted.clone();
        async move {
            wire.head().await;
            wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", BLOCK * BLOCKS))
                .await;
            write_blocks(&mut wire.stream, &counted).await;
        }
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert!(settled(&written).await < BUFFERS_MAX);
    client.head().await;
    let rest = client.take_buffer().len();
    assert_eq!(rest + read_blocks(&mut client.stream).await, BLOCK * BLOCKS);
}

#[tokio::test]
async fn a_long_request_waits_for_its_backend_and_then_goes_whole() {
    let (go, gate) = tokio::sync::watch::channel(false);
    let backend = Backend::start(move |mut wire, _| {
        let mut gate = gate.clone();
        async move {
            wire.head().await;
            gate.wait_for(|open| *open).await.unwrap();
            let early = wire.take_buffer().len();
            let total = early + read_exactly(&mut wire.stream, BLOCK * BLOCKS - early).await;
            wire.send(answer(&total.to_string())).await;
        }
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let client = site.client().await.stream;
    let (mut reader, mut writer) = client.into_split();
    let written = Arc::new(AtomicUsize::new(0));
    let counted = written.clone();
    let sending = tokio::spawn(async move {
        let head =
            format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", BLOCK * BLOCKS);
        writer.write_all(head.as_bytes()).await.unwrap();
        let block = vec![b'x'; BLOCK];
        for _ in 0..BLOCKS {
            writer.write_all(&block).await.unwrap();
            counted.fetch_add(BLOCK, SeqCst);
        }
        writer
    });
    assert!(settled(&written).await < BUFFERS_MAX);
    go.send(true).unwrap();
    let _writer = sending.await.unwrap();
    let mut text = vec![0; 256];
    let count = soon(reader.read(&mut text)).await.unwrap();
    let text = String::from_utf8_lossy(&text[..count]).into_owned();
    assert!(text.ends_with(&format!("\r\n\r\n{}", BLOCK * BLOCKS)), "{text}");
}

async fn read_exactly(stream: &mut TcpStream, wanted: usize) -> usize {
    let (mut total, mut buffer) = (0, vec![0; BLOCK]);
    while total < wanted {
        match soon(stream.read(&mut buffer)).await.unwrap() {
            0 => break,
            count => total += count,
        }
    }
    total
}

#[tokio::test]
async fn a_gigabyte_takes_no_memory() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", BLOCK * BLOCKS)).await;
        write_blocks(&mut wire.stream, &AtomicUsize::new(0)).await;
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    let before = resident();
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    client.head().await;
    let rest = client.take_buffer().len();
    assert_eq!(rest + read_blocks(&mut client.stream).await, BLOCK * BLOCKS);
    let grown = resident().saturating_sub(before);
    // Other tests run beside this one; a body kept whole would be 1000 MB.
    assert!(grown < 200 << 20, "{} MB", grown >> 20);
}

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test]
async fn pieces_of_a_response_arrive_before_it_ends() {
    let (next, gate) = tokio::sync::watch::channel(0);
    let backend = Backend::start(move |mut wire, _| {
        let mut gate = gate.clone();
        async move {
            wire.head().await;
            wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            for (turn, piece) in ["3\r\none\r\n", "3\r\ntwo\r\n", "0\r\n\r\n"].iter().enumerate() {
                gate.wait_for(|now| *now >= turn).await.unwrap();
                wire.send(piece).await;
            }
        }
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(client.head().await.is_chunked());
    for (turn, piece) in [&b"one"[..], b"two", b""].iter().enumerate() {
        next.send(turn).unwrap();
        assert_eq!(&client.chunk().await, piece);
    }
}

#[tokio::test]
async fn a_request_and_its_response_can_pass_at_the_same_time() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        loop {
            let chunk = String::from_utf8(wire.chunk().await).unwrap();
            wire.send(format!("{:x}\r\n{chunk}\r\n", chunk.len())).await;
            if chunk.is_empty() {
                return;
            }
        }
    })
    .await;
    let mut site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    assert!(client.head().await.is_chunked());
    for word in ["ping", "pong", "bye"] {
        client.send(format!("{:x}\r\n{word}\r\n", word.len())).await;
        assert_eq!(client.chunk().await, word.as_bytes());
    }
    client.send("0\r\n\r\n").await;
    assert_eq!(client.chunk().await, b"");
    let record = site.record().await;
    assert_eq!((record.bytes_in, record.bytes_out), (11, 11));
}

#[tokio::test]
async fn trailers_pass_both_ways() {
    let backend = Backend::start(|mut wire, _| async move {
        let head = wire.head().await;
        assert_eq!(head.get("te"), Some("trailers"));
        while !wire.chunk().await.is_empty() {}
        let trailers = wire.trailers().await.join(",");
        wire.send("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n").await;
        wire.send(format!("2\r\nok\r\n0\r\nX-Sum: got {trailers}\r\n\r\n")).await;
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE\r\n").await;
    client.send("Trailer: X-Up\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    client.send("2\r\nhi\r\n0\r\nX-Up: 7\r\n\r\n").await;
    let head = client.head().await;
    assert_eq!(head.get("trailer"), Some("X-Sum"));
    assert_eq!(client.chunk().await, b"ok");
    assert_eq!(client.chunk().await, b"");
    assert_eq!(client.trailers().await, ["x-sum: got x-up: 7"]);
}

const EXPECTING: &str =
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";

#[tokio::test]
async fn a_client_that_expects_100_is_told_to_go_on() {
    let backend = Backend::mirror().await;
    let site = Site::to(&[backend.address]).await;
    let mut client = site.client().await;
    client.send(EXPECTING).await;
    assert_eq!(client.head().await.first, "HTTP/1.1 100 Continue");
    client.send("hello").await;
    let answer = client.answer().await;
    assert_eq!(answer.head.status(), 200);
    assert!(!answer.body.contains("expect"), "{}", answer.body);
}

#[tokio::test]
async fn a_client_that_expects_100_is_not_asked_for_a_body_nobody_takes() {
    let site = Site::to(&[]).await;
    let mut client = site.client().await;
    client.send(EXPECTING).await;
    assert_eq!(client.head().await.status(), 503);
}

#[tokio::test]
async fn an_answer_before_the_request_is_whole_is_passed_on() {
    let backend = Backend::start(|mut wire, _| async move {
        wire.head().await;
        wire.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await;
        wire.rest().await;
    })
    .await;
    let site = Site::to(&[backend.address]).await;
    let mut client: Wire = site.client().await;
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nbegun").await;
    let answer = timeout(PATIENCE, client.answer()).await.unwrap();
    assert_eq!((answer.head.status(), answer.body.as_str()), (403, "no"));
}
