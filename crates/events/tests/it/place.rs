//! A ledger with groups in a temporary directory, and short ways to use them.

use fairway_events::{Consumer, ConsumerName, Delivery, GroupId, GroupInfo, Groups, Settings};
use fairway_ledger::{Expected, Ledger, NewEvent, Position};
use std::{future::Future, path::PathBuf, time::Duration};

/// How long a test waits for what is to come.
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir_in("/var/tmp").unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("events.db")
    }

    pub(crate) fn open(&self) -> Groups {
        Groups::open(Ledger::open(&self.path()).unwrap())
    }
}

pub(crate) fn id(source: &str) -> GroupId {
    GroupId::parse(source, "mails").unwrap()
}

pub(crate) fn name(name: &str) -> ConsumerName {
    name.parse().unwrap()
}

/// Settings with which nothing waits for long.
pub(crate) fn quick() -> Settings {
    let mut settings = Settings::default();
    settings.backoff.initial = Duration::from_millis(5);
    settings.save.after = Duration::from_millis(20);
    settings
}

pub(crate) async fn append(ledger: &Ledger, stream: &str, numbers: impl IntoIterator<Item = u64>) {
    let event = |number| NewEvent::new("counted", &number).unwrap();
    let events = numbers.into_iter().map(event).collect();
    ledger.append(&stream.parse().unwrap(), Expected::Any, events).await.unwrap();
}

pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.expect("it comes in time")
}

pub(crate) async fn next(consumer: &mut Consumer) -> Delivery {
    soon(consumer.next()).await.unwrap()
}

pub(crate) fn number(delivery: &Delivery) -> u64 {
    delivery.event.decode().unwrap()
}

/// Takes so many events, acknowledges each, and returns their numbers.
pub(crate) async fn ack_all(consumer: &mut Consumer, count: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let delivery = next(consumer).await;
        numbers.push(number(&delivery));
        consumer.ack([delivery.token()]).await.unwrap();
    }
    numbers
}

/// Waits until a group is as it should be.
pub(crate) async fn until(
    groups: &Groups,
    id: &GroupId,
    is_so: impl Fn(&GroupInfo) -> bool,
) -> GroupInfo {
    let looking = async {
        loop {
            let info = groups.info(id).await.unwrap();
            if is_so(&info) {
                return info;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    soon(looking).await
}

/// Waits until a group has finished everything up to a position.
pub(crate) async fn until_at(groups: &Groups, id: &GroupId, position: u64) -> GroupInfo {
    until(groups, id, |info| info.checkpoint.position >= Position(position)).await
}
