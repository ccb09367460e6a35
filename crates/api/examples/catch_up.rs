//! How fast events are read over HTTP, as lines: `catch_up [EVENTS] [BYTES]`. Prints one line of
//! JSON.

use bytes::Bytes;
use fairway_api::{Api, Server};
use fairway_ledger::{Expected, Ledger, NewEvent, StreamName};
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use std::{error::Error, net::TcpListener, time::Instant};
use tokio::{net::TcpStream, runtime::Builder, sync::oneshot};

/// Events of one append.
const BATCH: usize = 1_000;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse());
    let events: usize = numbers.next().transpose()?.unwrap_or(1_000_000);
    let bytes: usize = numbers.next().transpose()?.unwrap_or(256);
    let folder = tempfile::tempdir_in("/var/tmp")?;
    let ledger = Ledger::open(&folder.path().join("events.db"))?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(fill(&ledger, events, bytes))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let client =
        std::thread::spawn(move || read(&address.to_string()).map_err(|it| it.to_string()));
    let (stop, stopped) = oneshot::channel::<()>();
    let waiter = std::thread::spawn(move || {
        let result = client.join();
        drop(stop);
        result
    });
    runtime
        .block_on(Server::new(Api::new(ledger)).serve(listener, async { drop(stopped.await) }))?;
    let rounds =
        waiter.join().map_err(|_| "the waiter failed")?.map_err(|_| "the client failed")??;
    for (lines, seconds) in rounds {
        report(&format!(
            "{{\"events\":{lines},\"bytes\":{bytes},\"per_second\":{:.0}}}",
            f64::from(u32::try_from(lines)?) / seconds
        ));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what is printed is the result")]
fn report(line: &str) {
    println!("{line}");
}

async fn fill(ledger: &Ledger, events: usize, bytes: usize) -> Outcome {
    let text = "x".repeat(bytes.saturating_sub(2));
    for batch in 0..events.div_ceil(BATCH) {
        let stream = StreamName::of("load", batch % 1_000)?;
        let count = BATCH.min(events - batch * BATCH);
        let batch: Result<Vec<_>, _> = (0..count).map(|_| NewEvent::new("loaded", &text)).collect();
        ledger.append(&stream, Expected::Any, batch?).await?;
    }
    Ok(())
}

/// Reads everything three times: the number of lines, and the time that it took.
fn read(address: &str) -> Outcome<Vec<(usize, f64)>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut rounds = Vec::new();
        for _ in 0..3 {
            let start = Instant::now();
            let stream = TokioIo::new(TcpStream::connect(address).await?);
            let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
            let connection = tokio::spawn(connection);
            let request = Request::get("/v1/events").header("host", address);
            let request = request.header("accept", "application/x-ndjson");
            let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
            let (mut body, mut lines) = (response.into_body(), 0);
            while let Some(frame) = body.frame().await {
                let data = frame?.into_data().unwrap_or_default();
                lines += data.split(|byte| *byte == b'\n').count() - 1;
            }
            rounds.push((lines, start.elapsed().as_secs_f64()));
            drop(sender);
            drop(connection.await);
        }
        Ok(rounds)
    })
}
