//! The one thread of a process that writes. It takes all that is waiting, commits it in one
//! transaction, and only then answers: one sync to disk for many appends (group commit).

use crate::{
    append::{self, Append, AppendError, Appended},
    clock::Clock,
    error::LedgerError,
    event::Position,
    event_id::LedgerId,
    sqlite::{
        append::{Head, Outcome, apply},
        database::Database,
        streams,
    },
};
use fairway_model::Timestamp;
use rusqlite::{Connection, Error, OptionalExtension, Transaction, TransactionBehavior};
use std::thread;
use tokio::sync::{mpsc, oneshot, watch};

/// Most jobs that wait for the writer; who comes later waits to be let in.
const QUEUE_MAX: usize = 1024;
/// Most jobs of one transaction.
const GROUP_MAX: usize = 1024;
/// A transaction takes no more jobs after this many events.
const GROUP_EVENTS_MAX: usize = 20_000;
/// A transaction takes no more jobs after this many bytes, so that those who wait for it do not wait
/// long.
const GROUP_BYTES_MAX: usize = 32 << 20;

type AppendResult = Result<Vec<Appended>, AppendError>;
/// Other work, done inside the writer's transaction; false does nothing more.
pub(crate) type Work = Box<dyn Fn(&Connection) -> Result<bool, Error> + Send>;

/// Something to be written, what came of it, and who waits for that.
enum Job {
    Append { appends: Vec<Append>, outcome: Outcome, reply: oneshot::Sender<AppendResult> },
    Work { work: Work, outcome: bool, reply: oneshot::Sender<Result<bool, LedgerError>> },
}

impl Job {
    /// The number of events and of their bytes. Other work ends a group.
    fn size(&self) -> (usize, usize) {
        let Self::Append { appends, .. } = self else { return (GROUP_EVENTS_MAX, 0) };
        let events = appends.iter().flat_map(|append| &append.events);
        events.fold((0, 0), |(count, bytes), event| (count + 1, bytes + event.bytes()))
    }

    /// Does the job. An error is one of the whole transaction.
    fn perform(&mut self, transaction: &mut Transaction<'_>, head: &mut Head) -> Result<(), Error> {
        match self {
            Self::Append { appends, outcome, .. } => {
                *outcome = apply(transaction, head, appends)?;
            }
            Self::Work { work, outcome, .. } => {
                *outcome = work(transaction)?;
            }
        }
        Ok(())
    }

    /// Tells who waits, unless nobody waits any more.
    fn answer(self, committed: Result<(), LedgerError>) {
        match self {
            Self::Append { outcome, reply, .. } => drop(reply.send(match committed {
                Ok(()) => outcome,
                Err(error) => Err(error.into()),
            })),
            Self::Work { outcome, reply, .. } => drop(reply.send(committed.map(|()| outcome))),
        }
    }
}

/// The way to the writer's thread, which ends with the last of these.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the thread. `head` is told the position after each commit.
    pub(crate) fn start(
        id: LedgerId,
        (database, connection): (Database, Connection),
        clock: Clock,
        head: watch::Sender<Position>,
    ) -> Result<Self, LedgerError> {
        let (jobs, queue) = mpsc::channel(QUEUE_MAX);
        let writing = Writing { id, database, connection, clock, head };
        let started = thread::Builder::new().name("ledger".to_owned()).spawn(move || {
            writing.run(queue);
        });
        started.map(|_| Self { jobs }).map_err(|_| LedgerError::Closed)
    }

    pub(crate) async fn append(&self, appends: Vec<Append>) -> AppendResult {
        append::check(&appends)?;
        let (reply, answer) = oneshot::channel();
        self.send(Job::Append { appends, outcome: Ok(Vec::new()), reply }).await?;
        answer.await.map_err(|_| LedgerError::Closed)?
    }

    pub(crate) async fn work(
        &self,
        work: impl Fn(&Connection) -> Result<bool, Error> + Send + 'static,
    ) -> Result<bool, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Work { work: Box::new(work), outcome: false, reply }).await?;
        answer.await.map_err(|_| LedgerError::Closed)?
    }

    async fn send(&self, job: Job) -> Result<(), LedgerError> {
        self.jobs.send(job).await.map_err(|_| LedgerError::Closed)
    }
}

/// What the thread owns.
struct Writing {
    id: LedgerId,
    database: Database,
    connection: Connection,
    clock: Clock,
    head: watch::Sender<Position>,
}

impl Writing {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        self.sweep_rest(&queue);
        while let Some(first) = queue.blocking_recv() {
            let mut group = take_group(first, &mut queue);
            let committed = self.commit(&mut group);
            for job in group {
                job.answer(committed.clone());
            }
        }
    }

    /// Removes what a killed process left of truncated events, until there is something else to do.
    /// What goes wrong, whoever truncates next is told.
    fn sweep_rest(&mut self, queue: &mpsc::Receiver<Job>) {
        let is_some_left = streams::is_some_to_sweep(&self.connection);
        let mut is_more = is_some_left.unwrap_or(false);
        while is_more && queue.is_empty() && !queue.is_closed() {
            is_more = self.sweep().unwrap_or(false);
        }
    }

    fn sweep(&mut self) -> Result<bool, Error> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let is_more = moved(&transaction)?.is_none() && streams::sweep(&transaction)?;
        transaction.commit()?;
        Ok(is_more)
    }

    /// Does all jobs in one transaction. When this returns, they are on disk, or none is.
    fn commit(&mut self, group: &mut [Job]) -> Result<(), LedgerError> {
        let database = self.database.clone();
        self.try_commit(group)
            .map_err(|error| database.error(error))?
            .map_or(Ok(()), |to| Err(LedgerError::Moved { ledger: database.place(), to }))
    }

    /// Where the ledger is now, if it is not here.
    fn try_commit(&mut self, group: &mut [Job]) -> Result<Option<String>, Error> {
        let mut transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(to) = moved(&transaction)? {
            return Ok(Some(to));
        }
        let (last, recorded) = end(&transaction)?;
        let now = self.clock.now().max(recorded);
        let mut head = Head { ledger: self.id, position: last, now };
        for job in group {
            job.perform(&mut transaction, &mut head)?;
        }
        transaction.commit()?;
        if head.position > last {
            self.head.send_replace(head.position);
        }
        Ok(None)
    }
}

/// All jobs that are waiting, as far as one transaction takes them.
fn take_group(first: Job, queue: &mut mpsc::Receiver<Job>) -> Vec<Job> {
    let (mut events, mut bytes) = first.size();
    let mut group = vec![first];
    while group.len() < GROUP_MAX && events < GROUP_EVENTS_MAX && bytes < GROUP_BYTES_MAX {
        let Ok(job) = queue.try_recv() else { break };
        let size = job.size();
        (events, bytes) = (events + size.0, bytes + size.1);
        group.push(job);
    }
    group
}

/// The position of the last event.
pub(crate) fn position(connection: &Connection) -> Result<Position, Error> {
    end(connection).map(|(position, _)| position)
}

/// The position of the last event, and when it was recorded.
fn end(connection: &Connection) -> Result<(Position, Timestamp), Error> {
    let mut last = connection
        .prepare_cached("SELECT position, recorded FROM events ORDER BY position DESC LIMIT 1")?;
    let last = last.query_row((), |row| Ok((Position(row.get(0)?), Timestamp(row.get(1)?))));
    Ok(last.optional()?.unwrap_or((Position(0), Timestamp(0))))
}

fn moved(connection: &Connection) -> Result<Option<String>, Error> {
    connection.prepare_cached("SELECT moved FROM about")?.query_row((), |row| row.get(0))
}
