use crate::place::{Place, stream};
use fairway_ledger::{
    DecodeError, Event, Expected, Key, Ledger, LedgerError, NewEvent, Position, Projection,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A run as this test tells it: its service and how many stages are done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Run {
    service: String,
    stages: u32,
}

#[derive(Serialize, Deserialize)]
enum Fact {
    Started { service: String },
    StageDone,
    Forgotten,
}

impl Fact {
    fn event(&self) -> NewEvent {
        NewEvent::new("fact", self).unwrap()
    }
}

fn after(run: Option<Run>, event: &Event) -> Result<Option<Run>, DecodeError> {
    Ok(match (event.decode()?, run) {
        (Fact::Started { service }, _) => Some(Run { service, stages: 0 }),
        (Fact::StageDone, Some(run)) => Some(Run { stages: run.stages + 1, ..run }),
        (Fact::StageDone | Fact::Forgotten, _) => None,
    })
}

fn id(event: &Event) -> Option<u64> {
    event.stream.id()?.parse().ok()
}

struct Runs;

impl Projection for Runs {
    const NAME: &'static str = "runs";
    const VERSION: u32 = 1;
    type Row = Run;

    fn key(event: &Event) -> Option<Key> {
        (event.stream.category() == "run").then(|| id(event)).flatten().map(Key::Number)
    }

    fn apply(row: Option<Run>, event: &Event) -> Result<Option<Run>, DecodeError> {
        after(row, event)
    }
}

/// The next version of the same: it counts every stage twice.
struct RunsAgain;

impl Projection for RunsAgain {
    const NAME: &'static str = "runs";
    const VERSION: u32 = 2;
    type Row = Run;

    fn key(event: &Event) -> Option<Key> {
        Runs::key(event)
    }

    fn apply(row: Option<Run>, event: &Event) -> Result<Option<Run>, DecodeError> {
        let run = after(row, event)?;
        Ok(run.map(|run| Run { stages: run.stages + run.stages % 2, ..run }))
    }
}

struct Total;

impl Projection for Total {
    const NAME: &'static str = "total";
    const VERSION: u32 = 1;
    type Row = u64;

    fn key(_: &Event) -> Option<Key> {
        Some(Key::only())
    }

    fn apply(row: Option<u64>, _: &Event) -> Result<Option<u64>, DecodeError> {
        Ok(Some(row.unwrap_or(0) + 1))
    }
}

struct Named;

impl Projection for Named {
    const NAME: &'static str = "named";
    const VERSION: u32 = 1;
    type Row = u64;

    fn key(event: &Event) -> Option<Key> {
        Some(Key::from(event.stream.as_str()))
    }

    fn apply(_: Option<u64>, event: &Event) -> Result<Option<u64>, DecodeError> {
        Ok(Some(event.position.0))
    }
}

async fn append(ledger: &Ledger, run: u64, facts: &[Fact]) {
    let events = facts.iter().map(Fact::event).collect();
    ledger.append(&stream(&format!("run-{run}")), Expected::Any, events).await.unwrap();
}

fn started(service: &str) -> Fact {
    Fact::Started { service: service.to_owned() }
}

#[tokio::test]
async fn a_projection_is_always_as_new_as_the_ledger() {
    let place = Place::new();
    let ledger = place.open();
    let mut expected = BTreeMap::new();
    assert_eq!(ledger.project::<Total>().await.unwrap(), 0);
    for number in 0..1_500_u64 {
        let run = number * 7 % 300;
        let facts = match number % 5 {
            0 | 1 => vec![started("orders"), Fact::StageDone],
            2 | 3 => vec![Fact::StageDone],
            _ => vec![Fact::Forgotten],
        };
        append(&ledger, run, &facts).await;
        for fact in &facts {
            let row = expected.remove(&run);
            let row = match (fact, row) {
                (Fact::Started { service }, _) => Some(Run { service: service.clone(), stages: 0 }),
                (Fact::StageDone, Some(Run { service, stages })) => {
                    Some(Run { service, stages: stages + 1 })
                }
                _ => None,
            };
            expected.extend(row.map(|row| (run, row)));
        }
        if number % 97 == 0 {
            let newest = expected.iter().rev().take(10);
            let newest: Vec<_> =
                newest.map(|(key, row)| (Key::Number(*key), row.clone())).collect();
            assert_eq!(ledger.last_rows::<Runs>(10).await.unwrap(), newest, "after {number}");
            assert_eq!(ledger.row::<Runs>(run).await.unwrap().as_ref(), expected.get(&run));
        }
    }
    let all = ledger.last_rows::<Runs>(1000).await.unwrap();
    assert_eq!(all.len(), expected.len());
    let reopened = place.open().last_rows::<Runs>(1000).await.unwrap();
    assert_eq!(reopened, all);
    let head = ledger.head().await.unwrap();
    assert_eq!(Position(ledger.project::<Total>().await.unwrap()), head);
}

#[tokio::test]
async fn rows_are_found_by_the_start_of_their_keys() {
    let place = Place::new();
    let ledger = place.open();
    for round in 0..2 {
        for name in ["cart-1", "cart-2", "carts-1", "orders-1"] {
            let events = (0..200).map(|_| started("x").event()).collect();
            ledger.append(&stream(name), Expected::Any, events).await.unwrap();
        }
        let rows = ledger.last_rows_with_prefix::<Named>("cart-", 10).await.unwrap();
        let keys: Vec<_> = rows.into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, [Key::from("cart-2"), Key::from("cart-1")], "round {round}");
        let first = ledger.last_rows_with_prefix::<Named>("cart", 1).await.unwrap();
        assert_eq!(first[0].0, Key::from("carts-1"));
    }
}

#[tokio::test]
async fn a_new_version_is_folded_anew_and_replaces_the_old() {
    let place = Place::new();
    let ledger = place.open();
    for run in 0..400 {
        append(&ledger, run, &[started("a"), Fact::StageDone]).await;
    }
    assert_eq!(ledger.row::<Runs>(3).await.unwrap().unwrap().stages, 1);
    assert_eq!(ledger.row::<RunsAgain>(3).await.unwrap().unwrap().stages, 2);
    assert_eq!(ledger.row::<Runs>(3).await.unwrap().unwrap().stages, 1, "an old process goes on");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_named_and_harms_no_append() {
    let place = Place::new();
    let ledger = place.open();
    let strange = NewEvent::new("fact", &"strange").unwrap();
    ledger.append(&stream("run-1"), Expected::Any, vec![strange; 600]).await.unwrap();
    let error = ledger.row::<Runs>(1).await.unwrap_err();
    let LedgerError::Projection { projection: "runs", source } = &error else { panic!("{error}") };
    assert_eq!(source.to_string(), "event 1 of kind `fact` cannot be read");
    append(&ledger, 2, &[started("a")]).await;
}

/// Ten thousand runs of ten events each, then asked for by a process of its own.
#[tokio::test]
async fn ten_thousand_runs_are_listed_at_once() {
    let place = Place::new();
    let ledger = place.open();
    for hundred in 0..100 {
        let appends = (0..100).map(|run| fairway_ledger::Append {
            stream: stream(&format!("run-{}", hundred * 100 + run)),
            expected: Expected::NoStream,
            events: (0..10)
                .map(|n| if n == 0 { started("a") } else { Fact::StageDone }.event())
                .collect(),
        });
        ledger.append_all(appends.collect()).await.unwrap();
    }
    ledger.last_rows::<Runs>(1).await.unwrap();
    drop(ledger);
    let report = crate::processes::child("list_runs", &place.path()).wait_with_output().unwrap();
    let report = String::from_utf8(report.stdout).unwrap();
    let line = report.lines().find(|line| line.contains("listed 20 runs in")).expect(&report);
    println!("{line}");
}

/// Not a test of its own: what a process of the test above does.
#[tokio::test]
#[ignore = "started by another test"]
async fn list_runs() {
    let Some(path) = crate::processes::given_path() else { return };
    let start = std::time::Instant::now();
    let ledger = Ledger::open(&path).unwrap();
    let rows = ledger.last_rows::<Runs>(20).await.unwrap();
    let took = start.elapsed();
    assert_eq!(rows.len(), 20);
    assert_eq!(rows[0], (Key::Number(9999), Run { service: "a".to_owned(), stages: 9 }));
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    println!("\nlisted 20 runs in {took:?}, {peak}");
}
