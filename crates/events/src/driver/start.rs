//! Starting a driver: its lock, what is stored of the group, and its tasks.

use crate::{
    decide::{Group, Mark},
    driver::{run::Driver, seats::Seats, work},
    error::GroupError,
    facts::{Fact, Facts, Standing, unreadable},
    feed::{Feed, Pace, Page},
    group_id::{GroupId, Source},
    lock::GroupLock,
    progress_row::{self, ProgressRow},
    request::Request,
};
use fairway_ledger::{Filter, Ledger, LedgerError, PAGE_EVENTS_MAX, Version};
use fairway_model::Timestamp;
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc},
    task::{JoinHandle, JoinSet},
    time::Instant,
};

/// Most requests that wait for a driver.
const REQUESTS_MAX: usize = 256;

/// How long events may wait in a ledger that is busy with others.
const EVENTS_WAIT: Duration = Duration::from_millis(1);
/// How long facts that somebody else decided may.
const FACTS_WAIT: Duration = Duration::from_millis(20);

/// A way to a driver.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) task: JoinHandle<()>,
}

/// Tells a time that never goes back, whatever the machine's clock does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steady {
    start: Instant,
    at: Timestamp,
}

impl Steady {
    pub(super) fn now(&self) -> Timestamp {
        self.at.plus(self.start.elapsed())
    }

    pub(super) fn instant(&self, moment: Timestamp) -> Instant {
        self.start + moment.since(self.at)
    }

    /// When the present millisecond is over for sure.
    pub(super) fn after(&self, moment: Timestamp) -> Instant {
        self.instant(moment) + Duration::from_millis(1)
    }
}

/// A way to ask for events, and to get them.
#[derive(Debug)]
pub(super) struct Pages {
    pub(super) asked: mpsc::Sender<usize>,
    pub(super) answers: mpsc::Receiver<Result<Page, LedgerError>>,
    /// Makes it look at once.
    pub(super) nudge: Arc<Notify>,
    /// Whether an answer is yet to come.
    pub(super) is_awaited: bool,
}

/// Starts to hand out the events of a group.
pub(crate) async fn start(ledger: &Ledger, id: &GroupId) -> Result<Handle, GroupError> {
    // A group that is not there leaves nothing behind.
    existing(ledger, id).await?;
    let lock = GroupLock::take(ledger, id)?;
    let row = ProgressRow::claim(ledger, id).await?;
    let (group, facts) = existing(ledger, id).await?;
    let progress = progress_row::last(ledger, id, (&group, &facts)).await?;

    let mut tasks = JoinSet::new();
    let Standing { settings, .. } = group;
    let source = (id.source().clone(), settings.filter.clone());
    let pages = follow(ledger, source, progress.taken, EVENTS_WAIT, &mut tasks)?;
    let own = (Source::Stream(id.stream().clone()), Filter::all());
    let news = facts_after(ledger, id, progress.facts, facts.version).await?;
    let after = Mark { version: facts.version, ..Mark::default() };
    let facts_pages = follow(ledger, own, after, FACTS_WAIT, &mut tasks)?;

    let (requests, received) = mpsc::channel(REQUESTS_MAX);
    let clock = Steady { start: Instant::now(), at: ledger.clock().now() };
    let mut driver = Driver {
        id: id.clone(),
        ledger: ledger.clone(),
        state: Group::restore(settings, progress, facts.shelved(), clock.now()),
        since: ledger.clock().now(),
        clock,
        events: HashMap::new(),
        ids: BTreeSet::new(),
        seats: Seats::default(),
        row,
        pages,
        facts: facts_pages,
        to_record: Vec::new(),
        is_recording: false,
        is_saving: false,
        work: JoinSet::new(),
        tasks,
        deserted: None,
    };
    if !lock.is_held() {
        driver.work.spawn(work::watch(driver.row.clone()));
    }
    let task = tokio::spawn(async move {
        driver.run(news, received).await;
        drop(lock);
    });
    Ok(Handle { requests, task })
}

async fn existing(ledger: &Ledger, id: &GroupId) -> Result<(Standing, Facts), GroupError> {
    let facts = Facts::load(ledger, id.stream()).await?;
    let group = facts.group.clone().ok_or_else(|| GroupError::Unknown(id.clone()))?;
    Ok((group, facts))
}

/// The facts that the stored progress does not know yet.
async fn facts_after(
    ledger: &Ledger,
    id: &GroupId,
    mut after: Version,
    last: Version,
) -> Result<Vec<(Version, Fact)>, GroupError> {
    let mut news = Vec::new();
    while after < last {
        let page = ledger.read_stream(id.stream(), after, PAGE_EVENTS_MAX).await?;
        after = page.last().map_or(last, |event| event.version);
        for event in page.iter().filter(|event| event.version <= last) {
            let fact = event.decode().map_err(|error| unreadable(id.stream(), error))?;
            news.push((event.version, fact));
        }
    }
    Ok(news)
}

fn follow(
    ledger: &Ledger,
    source: (Source, Filter),
    after: Mark,
    wait: Duration,
    tasks: &mut JoinSet<()>,
) -> Result<Pages, LedgerError> {
    let nudge: Arc<Notify> = Arc::default();
    let feed = Feed::new(ledger, source, after, Pace { wait, nudge: nudge.clone() })?;
    let (asked, to_ask) = mpsc::channel(1);
    let (to_answer, answers) = mpsc::channel(1);
    tasks.spawn(feed.serve(to_ask, to_answer));
    Ok(Pages { asked, answers, nudge, is_awaited: false })
}

impl Pages {
    /// Asks for events if no answer is yet to come.
    pub(super) fn ask(&mut self, count: usize) {
        if !self.is_awaited && count > 0 {
            // It has room: it is asked once per answer. If it ended, its answers end as well.
            self.is_awaited = self.asked.try_send(count).is_ok();
        }
    }

    pub(super) async fn next(&mut self) -> Result<Page, LedgerError> {
        let page = self.answers.recv().await.ok_or(LedgerError::Closed)?;
        self.is_awaited = false;
        page
    }
}
