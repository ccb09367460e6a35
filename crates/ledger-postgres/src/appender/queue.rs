//! The way to the task that appends, and the group of what is waiting that it takes at once.

use crate::appender::appending::Appending;
use fairway_ledger::{Append, AppendError, Appended, LedgerError, NewEvent};
use tokio::sync::{mpsc, oneshot};

/// Most appends that wait; who comes later waits to be let in.
const QUEUE_MAX: usize = 1024;
/// Most appends of one batch.
const GROUP_MAX: usize = 1024;
/// A batch takes no more appends after this many events.
const GROUP_EVENTS_MAX: usize = 20_000;
/// A batch takes no more appends after this many bytes.
const GROUP_BYTES_MAX: usize = 32 << 20;

pub(crate) type AppendResult = Result<Vec<Appended>, AppendError>;

/// An append that waits, and who waits for what comes of it.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) appends: Vec<Append>,
    reply: oneshot::Sender<AppendResult>,
}

impl Job {
    fn events(&self) -> impl Iterator<Item = &NewEvent> {
        self.appends.iter().flat_map(|append| &append.events)
    }

    /// Whether this, once it is committed, may have left events that are truncated.
    pub(crate) fn truncates(&self) -> bool {
        self.appends.iter().any(|append| !append.retentions().is_empty())
    }

    /// Tells who waits, unless nobody waits any more.
    pub(crate) fn answer(self, result: AppendResult) {
        drop(self.reply.send(result));
    }
}

/// The way to the task, which ends with the last of these.
#[derive(Debug)]
pub(crate) struct Appender {
    jobs: mpsc::Sender<Job>,
}

impl Appender {
    /// Starts the task.
    pub(crate) fn start(appending: Appending) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(appending.run(Queue(queue)));
        Self { jobs }
    }

    pub(crate) async fn append(&self, appends: Vec<Append>) -> AppendResult {
        let (reply, answer) = oneshot::channel();
        let sent = self.jobs.send(Job { appends, reply }).await;
        sent.map_err(|_| LedgerError::Closed)?;
        answer.await.map_err(|_| LedgerError::Closed)?
    }
}

/// What waits.
#[derive(Debug)]
pub(crate) struct Queue(mpsc::Receiver<Job>);

impl Queue {
    /// Takes all that is waiting, after waiting for one; none if nobody can append any more.
    /// Dropping a call loses nothing.
    pub(crate) async fn group(&mut self) -> Option<Vec<Job>> {
        let first = self.0.recv().await?;
        let (mut events, mut bytes) = (0, 0);
        let mut group = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            events += job.events().count();
            bytes += job.events().map(NewEvent::bytes).sum::<usize>();
            group.push(job);
            let is_full =
                group.len() >= GROUP_MAX || events >= GROUP_EVENTS_MAX || bytes >= GROUP_BYTES_MAX;
            next = if is_full { None } else { self.0.try_recv().ok() };
        }
        Some(group)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
