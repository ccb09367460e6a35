//! How long an event is on its way to a live reader: `live_delivery [EVENTS] [PER_SECOND]`. Events
//! are appended one by one, each at its moment, in the process of the server; the reader is over TCP.
//! Prints one line of JSON.

use bytes::Bytes;
use fairway_api::{Api, Server};
use fairway_ledger::{Expected, Ledger, NewEvent, StreamName};
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::TokioIo;
use std::{
    error::Error,
    net::TcpListener,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpStream,
    runtime::Builder,
    sync::{Semaphore, oneshot},
    time::{MissedTickBehavior, interval},
};

/// Most appends at once.
const WRITERS: usize = 64;
/// How often events are due.
const TICK: Duration = Duration::from_millis(1);

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// When each event was asked to be appended, and when it came.
type Moments = Arc<Mutex<Vec<[Option<Instant>; 2]>>>;

fn main() -> Outcome {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse());
    let events: usize = numbers.next().transpose()?.unwrap_or(50_000);
    let rate: usize = numbers.next().transpose()?.unwrap_or(5_000);
    let folder = tempfile::tempdir_in("/var/tmp")?;
    let ledger = Ledger::open(&folder.path().join("events.db"))?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let moments: Moments = Arc::new(Mutex::new(vec![[None; 2]; events]));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::new(Api::new(ledger.clone()));
    let server = thread::spawn(move || -> Outcome {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(server.serve(listener, async { drop(stopped.await) }))?)
    });
    let (seen, count) = (moments.clone(), events);
    let reader = thread::spawn(move || -> Outcome {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(read(&address, &seen, count))
    });
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(append(&ledger, &moments, rate))?;
    reader.join().map_err(|_| "the reader failed")??;
    drop(stop);
    server.join().map_err(|_| "the server failed")??;
    report(&moments);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what is printed is the result")]
fn report(moments: &Moments) {
    let moments = moments.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = moments.iter().filter_map(|[asked, came]| Some((*came)?.duration_since((*asked)?)));
    let mut taken: Vec<Duration> = taken.collect();
    taken.sort_unstable();
    let at = |share: usize| taken[(taken.len() - 1) * share / 100].as_micros();
    println!("{{\"events\":{},\"p50_us\":{},\"p99_us\":{}}}", taken.len(), at(50), at(99));
}

async fn append(ledger: &Ledger, moments: &Moments, rate: usize) -> Outcome {
    let stream = StreamName::of("load", 1)?;
    let text = "x".repeat(254);
    let count = moments.lock().unwrap_or_else(PoisonError::into_inner).len();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let slots = Arc::new(Semaphore::new(WRITERS));
    let mut sent = 0;
    while sent < count {
        let due = ticks.tick().await.into_std();
        for _ in 0..(rate / 1000).max(1) {
            // What waits for its turn waits; what the timer rounds does not count.
            let asked = if due.elapsed() > TICK * 2 { due } else { Instant::now() };
            let slot = slots.clone().acquire_owned().await?;
            let event = NewEvent::new("loaded", &text)?;
            let (ledger, stream, moments) = (ledger.clone(), stream.clone(), moments.clone());
            tokio::spawn(async move {
                let done = ledger.append(&stream, Expected::Any, vec![event]).await;
                let at = usize::try_from(done.map_or(0, |done| done.position.0)).unwrap_or(0);
                let mut moments = moments.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(moment) = at.checked_sub(1).and_then(|at| moments.get_mut(at)) {
                    moment[0] = Some(asked);
                }
                drop(slot);
            });
            sent += 1;
        }
    }
    let all = u32::try_from(WRITERS)?;
    slots.acquire_many(all).await?.forget();
    Ok(())
}

/// Reads until all events came.
async fn read(address: &str, moments: &Moments, count: usize) -> Outcome {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get("/v1/events").header("host", address);
    let request = request.header("accept", "text/event-stream").body(Empty::<Bytes>::new())?;
    let mut body = sender.send_request(request).await?.into_body();
    let (mut came, mut rest) = (0, Vec::new());
    while came < count {
        let frame = body.frame().await.ok_or("the body ended")??;
        let now = Instant::now();
        rest.extend_from_slice(&frame.into_data().unwrap_or_default());
        let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines = rest[..whole].split(|byte| *byte == b'\n');
        let mut moments = moments.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in lines.filter(|line| line.starts_with(b"id: ")) {
            moments[came][1] = Some(now);
            came += 1;
        }
        drop(moments);
        rest.drain(..whole);
    }
    drop((sender, body));
    drop(connection.await);
    Ok(())
}
