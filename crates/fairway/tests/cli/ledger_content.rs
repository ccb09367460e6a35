//! What a ledger has, all of it, to be held against another; and programs that write to one.

use fairway_ledger::{
    AppendError, Clock, Event, Expected, Ledger, LedgerError, LedgerId, ListSnapshots, ListStreams,
    NewEvent, Portable, Position, Snapshot, Store, StreamName, StreamState, Version,
};
use fairway_ledger_postgres::Postgres;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};
use tokio::runtime::{Builder, Runtime};

const PAGE: usize = 5_000;
/// Writers of one storm.
const WRITERS: u64 = 4;

/// All that a ledger has.
#[derive(Debug, PartialEq)]
pub struct Content {
    /// Its id.
    pub id: LedgerId,
    /// The last position.
    pub head: Position,
    /// The events.
    pub events: Vec<Event>,
    /// How streams stand.
    pub streams: Vec<StreamState>,
    /// Snapshots by stream and version.
    pub snapshots: Vec<(StreamName, Version, Snapshot)>,
}

pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Reads all of the ledger at a place.
pub fn content(place: &str) -> Content {
    runtime().block_on(async {
        let ledger = open(place).await;
        let mut content = Content {
            id: ledger.id(),
            head: ledger.head().await.unwrap(),
            events: Vec::new(),
            streams: Vec::new(),
            snapshots: Vec::new(),
        };
        let store: Arc<dyn Store> = ledger.clone();
        let reader = Ledger::of(store, Clock::system());
        loop {
            let after = content.events.last().map_or(Position(0), |event| event.position);
            let page = reader.read_all(after, PAGE).await.unwrap();
            if page.is_empty() {
                break;
            }
            content.events.extend(page);
        }
        let list = ListStreams { limit: PAGE, ..ListStreams::default() };
        content.streams = ledger.streams(list).await.unwrap();
        let list = ListSnapshots { after: None, limit: PAGE };
        let snapshots = ledger.snapshots(list).await.unwrap().into_iter();
        content.snapshots =
            snapshots.map(|(stream, saved)| (stream, saved.version, saved)).collect();
        content.snapshots.sort_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
        content
    })
}

async fn open(place: &str) -> Arc<dyn Portable> {
    if place.starts_with("postgres://") {
        return Arc::new(Postgres::open(place, Clock::system()).await.unwrap());
    }
    fairway_ledger::open_portable(Path::new(place), Clock::system()).unwrap()
}

/// Opens the ledger at a place.
pub async fn ledger(place: &str) -> Ledger {
    let store: Arc<dyn Store> = open(place).await;
    Ledger::of(store, Clock::system())
}

/// Threads that append to a ledger until they are stopped, or the ledger was moved.
pub struct Storm {
    stop: Arc<AtomicBool>,
    writers: Vec<JoinHandle<Vec<(StreamName, Position)>>>,
}

impl Storm {
    /// Lets them write.
    pub fn begin(place: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let write = |writer| {
            let (stop, place) = (stop.clone(), place.to_owned());
            thread::spawn(move || runtime().block_on(write(writer, &place, &stop)))
        };
        Self { writers: (0..WRITERS).map(write).collect(), stop }
    }

    /// Stops them: what was acknowledged to them.
    pub fn end(self) -> Vec<(StreamName, Position)> {
        self.stop.store(true, Ordering::SeqCst);
        self.wait()
    }

    /// Waits until the ledger is moved: what was acknowledged to them.
    pub fn wait(self) -> Vec<(StreamName, Position)> {
        self.writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    }
}

async fn write(writer: u64, place: &str, stop: &AtomicBool) -> Vec<(StreamName, Position)> {
    let ledger = ledger(place).await;
    let mut acknowledged = Vec::new();
    let mut number = 0_u64;
    while !stop.load(Ordering::SeqCst) {
        let stream = StreamName::of("storm", format!("{writer}.{}", number % 7)).unwrap();
        let event = NewEvent::new("blown", &number).unwrap();
        number += 1;
        match ledger.append(&stream, Expected::Any, vec![event]).await {
            Ok(appended) => acknowledged.push((stream, appended.position)),
            Err(AppendError::Ledger(LedgerError::Moved { .. })) => break,
            Err(error) => panic!("{error}"),
        }
    }
    acknowledged
}

/// Fails unless every acknowledged event is where it was said to be.
#[track_caller]
pub fn assert_kept(content: &Content, acknowledged: &[(StreamName, Position)]) {
    for (stream, position) in acknowledged {
        let at = content.events.binary_search_by_key(position, |event| event.position);
        let event = &content.events[at.unwrap_or_else(|_| panic!("event {position} is lost"))];
        assert_eq!(event.stream, *stream);
    }
}
