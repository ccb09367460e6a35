//! Measures a ledger in a file. Prints one JSON object.
//!
//! Usage: `ledger_load floor append|overwrite DIR SECONDS`: how often 4 KiB can be written to a file
//! and synced;
//! `append DIR WRITERS BATCH SECONDS`: writers with a stream each append 256-byte events;
//! `fill FILE EVENTS STREAMS`: makes a ledger; `read FILE`: follows it from its start to its end;
//! `open FILE STREAMS READS`: opens it and reads last events of some of its streams;
//! `live DIR RATE SECONDS`: how long events take from append to a subscription.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program for measuring alone"
)]

use fairway_ledger::{
    Append, Expected, From, Json, Ledger, NewEvent, Position, Read, Scope, StreamName, Version,
};
use serde_json::{Value, json};
use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Bytes of data of one event.
const EVENT_BYTES: usize = 256;
/// Bytes of one write of the floor.
const BLOCK: usize = 4096;
/// Blocks of the file that is overwritten in turn: about as many as a write-ahead log has.
const FLOOR_BLOCKS: u64 = 1024;
/// What a timer may be late by.
const TIMER: Duration = Duration::from_millis(2);
/// Events of one append while a ledger is filled.
const FILL_BATCH: u64 = 5_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<u64>().unwrap();
    let seconds = |word: &str| Duration::from_secs_f64(word.parse().unwrap());
    let figures = match words.as_slice() {
        ["floor", "append", dir, time] => floor(Path::new(dir), seconds(time), &Floor::Append),
        ["floor", "overwrite", dir, time] => {
            floor(Path::new(dir), seconds(time), &Floor::Overwrite)
        }
        ["append", dir, writers, batch, time] => {
            append(Path::new(dir), number(writers), number(batch), seconds(time)).await
        }
        ["fill", file, events, streams] => {
            fill(Path::new(file), number(events), number(streams)).await
        }
        ["read", file] => read(Path::new(file)).await,
        ["open", file, streams, reads] => {
            open(Path::new(file), number(streams), number(reads)).await
        }
        ["live", dir, rate, time] => live(Path::new(dir), number(rate), seconds(time)).await,
        _ => panic!("see the head of this program for what it takes"),
    };
    println!("{figures}");
}

/// What a block is written to.
#[derive(PartialEq, Eq)]
enum Floor {
    /// The end of a file, which grows: its new size is synced, too.
    Append,
    /// A file that has its size: the best that can be had of a disk.
    Overwrite,
}

/// How many times a second a block can be written and synced.
fn floor(dir: &Path, time: Duration, floor: &Floor) -> Value {
    let path = dir.join("floor");
    let file = File::create(&path).unwrap();
    let write = |block: u64| file.write_all_at(&[7; BLOCK], block * BLOCK as u64).unwrap();
    if *floor == Floor::Overwrite {
        (0..FLOOR_BLOCKS).for_each(write);
        file.sync_all().unwrap();
    }
    let (start, mut times) = (Instant::now(), Vec::new());
    while start.elapsed() < time {
        let before = Instant::now();
        let block = times.len() as u64;
        write(if *floor == Floor::Overwrite { block % FLOOR_BLOCKS } else { block });
        file.sync_data().unwrap();
        times.push(before.elapsed());
    }
    let elapsed = start.elapsed();
    std::fs::remove_file(path).unwrap();
    rates(times.len() as f64, elapsed, times)
}

/// A ledger in a directory that is there for one measurement only.
struct Fresh(PathBuf, Ledger);

impl Fresh {
    fn in_dir(dir: &Path) -> Self {
        let dir = dir.join(format!("ledger-{}", std::process::id()));
        std::fs::create_dir(&dir).unwrap();
        let ledger = Ledger::open(&dir.join("ledger")).unwrap();
        Self(dir, ledger)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

async fn append(dir: &Path, writers: u64, batch: u64, time: Duration) -> Value {
    let fresh = Fresh::in_dir(dir);
    let start = Instant::now();
    let mut all = JoinSet::new();
    for writer in 0..writers {
        let (ledger, stream) = (fresh.1.clone(), StreamName::of("writer", writer).unwrap());
        all.spawn(async move {
            let mut times = Vec::new();
            while start.elapsed() < time {
                let before = Instant::now();
                let events = (0..batch).map(|_| event()).collect();
                ledger.append(&stream, Expected::Any, events).await.unwrap();
                times.push(before.elapsed());
            }
            times
        });
    }
    let times: Vec<Duration> = all.join_all().await.into_iter().flatten().collect();
    rates((times.len() as u64 * batch) as f64, start.elapsed(), times)
}

fn event() -> NewEvent {
    let text = format!("\"{}\"", "x".repeat(EVENT_BYTES - 2));
    NewEvent::from_json("measured", Json::parse(text).unwrap()).unwrap()
}

async fn fill(file: &Path, events: u64, streams: u64) -> Value {
    let ledger = Ledger::open(file).unwrap();
    let start = Instant::now();
    let mut next = ledger.head().await.unwrap().0;
    while next < events {
        let last = events.min(next + FILL_BATCH);
        let mut appends = std::collections::BTreeMap::<u64, Vec<NewEvent>>::new();
        for number in next..last {
            appends.entry(number % streams).or_default().push(event());
        }
        let append = |(stream, events)| Append {
            stream: StreamName::of("thing", stream).unwrap(),
            expected: Expected::Any,
            events,
        };
        ledger.append_all(appends.into_iter().map(append).collect()).await.unwrap();
        next = last;
    }
    json!({ "per_second": events as f64 / start.elapsed().as_secs_f64() })
}

async fn read(file: &Path) -> Value {
    let ledger = Ledger::open(file).unwrap();
    let head = ledger.head().await.unwrap();
    let start = Instant::now();
    let mut subscription = ledger.subscribe(Position(0)).unwrap();
    let (mut count, mut bytes) = (0_u64, 0);
    while count < head.0 {
        let events = subscription.next_page().await.unwrap();
        count += events.len() as u64;
        bytes += events.iter().map(|event| event.data.len()).sum::<usize>();
    }
    let elapsed = start.elapsed().as_secs_f64();
    json!({ "events": count, "bytes": bytes, "per_second": count as f64 / elapsed })
}

async fn open(file: &Path, streams: u64, reads: u64) -> Value {
    let start = Instant::now();
    let ledger = Ledger::open(file).unwrap();
    let opened = start.elapsed();
    let mut times = Vec::new();
    for number in 0..reads {
        // A prime far from the number of streams: all over the file.
        let stream = StreamName::of("thing", number * 7_919 % streams).unwrap();
        let scope = Scope::Stream(stream, From::Before(Version::END));
        let before = Instant::now();
        let last = ledger.read(Read::new(scope, 1)).await.unwrap();
        times.push(before.elapsed());
        assert_eq!(last.len(), 1);
    }
    let mut figures = rates(reads as f64, start.elapsed(), times);
    figures["open_ms"] = json!(opened.as_secs_f64() * 1e3);
    figures["resident_mb"] = json!(resident());
    figures
}

/// Most memory that the process ever had, in MB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

async fn live(dir: &Path, rate: u64, time: Duration) -> Value {
    let fresh = Fresh::in_dir(dir);
    let start = Instant::now();
    let mut subscription = fresh.1.subscribe(Position(0)).unwrap();
    let count = rate * time.as_secs();
    let reader = tokio::spawn(async move {
        let mut times = Vec::new();
        for _ in 0..count {
            let sent: u64 = subscription.next().await.unwrap().decode::<(u64, String)>().unwrap().0;
            times.push(start.elapsed().saturating_sub(Duration::from_nanos(sent)));
        }
        times
    });
    let mut all = JoinSet::new();
    let filler = "x".repeat(EVENT_BYTES);
    for number in 0..count {
        let due = start
            + Duration::from_secs(1) * u32::try_from(number).unwrap()
                / u32::try_from(rate).unwrap();
        tokio::time::sleep_until(due.into()).await;
        // What waits for its turn waits; what the timer rounds does not count.
        let asked = if due.elapsed() > TIMER { due } else { Instant::now() };
        let (ledger, filler) = (fresh.1.clone(), filler.clone());
        all.spawn(async move {
            let stream = StreamName::of("live", number % 100).unwrap();
            let sent = u64::try_from((asked - start).as_nanos()).unwrap();
            let event = NewEvent::new("measured", &(sent, filler)).unwrap();
            ledger.append(&stream, Expected::Any, vec![event]).await.unwrap();
        });
    }
    all.join_all().await;
    let times = reader.await.unwrap();
    rates(count as f64, start.elapsed(), times)
}

fn rates(count: f64, elapsed: Duration, mut times: Vec<Duration>) -> Value {
    times.sort();
    let percentile = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let index = ((times.len() - 1) as f64 * share) as usize;
        times[index].as_secs_f64() * 1e3
    };
    json!({
        "per_second": count / elapsed.as_secs_f64(),
        "p50_ms": percentile(0.5),
        "p99_ms": percentile(0.99),
    })
}
