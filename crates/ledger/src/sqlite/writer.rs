//! The one thread of a process that writes. It takes all that is waiting, commits it in one
//! transaction, and only then answers: one sync to disk for many appends (group commit).
//!
//! Between groups, and while nothing is waiting, it removes what is truncated, piece by piece. What
//! was truncated is so by then, whatever goes wrong with that.

use crate::{
    append::Append,
    clock::Clock,
    error::LedgerError,
    event::Position,
    event_id::LedgerId,
    sqlite::{
        append::Head,
        database::Database,
        job::{AppendResult, Job, take_group},
        streams,
    },
    sweeping::{Piece, Sweeping},
};
use fairway_model::Timestamp;
use rusqlite::{Connection, Error, OptionalExtension, TransactionBehavior};
use std::{
    thread,
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

/// Most jobs that wait for the writer; who comes later waits to be let in.
const QUEUE_MAX: usize = 1024;

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
        let runtime = Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|_| LedgerError::Closed)?;
        let sweeping = Sweeping::default();
        let writing = Writing { id, database, connection, clock, head, sweeping, runtime };
        let started = thread::Builder::new().name("ledger".to_owned()).spawn(move || {
            writing.run(queue);
        });
        started.map(|_| Self { jobs }).map_err(|_| LedgerError::Closed)
    }

    pub(crate) async fn append(&self, appends: Vec<Append>) -> AppendResult {
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
    sweeping: Sweeping<Job>,
    /// Lets the thread wait for a job and a moment at once.
    runtime: Runtime,
}

/// What the thread does next.
enum Next {
    Group(Job),
    Sweep,
    End,
}

impl Writing {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        // A killed process may have left something. If that cannot be told, a sweep finds out.
        if streams::is_some_to_sweep(&self.connection).unwrap_or(true) {
            self.sweeping.begin();
        }
        loop {
            match self.next(&mut queue) {
                Next::Group(first) => self.write(take_group(first, &mut queue)),
                Next::Sweep => {}
                Next::End => return,
            }
            if self.sweeping.is_due(Instant::now()) {
                self.sweep();
            }
        }
    }

    /// Waits for a job, but not while there is something to be swept.
    fn next(&self, queue: &mut mpsc::Receiver<Job>) -> Next {
        let job = match self.sweeping.pause(Instant::now()) {
            None => self.runtime.block_on(queue.recv()),
            Some(Duration::ZERO) => match queue.try_recv() {
                Ok(job) => Some(job),
                Err(mpsc::error::TryRecvError::Empty) => return Next::Sweep,
                Err(mpsc::error::TryRecvError::Disconnected) => None,
            },
            Some(pause) => {
                match self.runtime.block_on(async { timeout(pause, queue.recv()).await }) {
                    Ok(job) => job,
                    Err(_) => return Next::Sweep,
                }
            }
        };
        job.map_or(Next::End, Next::Group)
    }

    /// Writes a group and answers it. Who truncated something is told after that is swept.
    fn write(&mut self, mut group: Vec<Job>) {
        let committed = self.commit(&mut group);
        for job in group {
            let job = match committed {
                Ok(()) if job.has_truncated() => self.sweeping.begin_for(job),
                _ => Some(job),
            };
            if let Some(job) = job {
                job.answer(committed.clone());
            }
        }
    }

    /// Removes some of what is truncated. What goes wrong with it is tried again later.
    fn sweep(&mut self) {
        let piece = self.try_sweep().unwrap_or(Piece::Failed);
        for job in self.sweeping.swept(piece, Instant::now()) {
            job.answer(Ok(()));
        }
    }

    fn try_sweep(&mut self) -> Result<Piece, Error> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let piece = streams::sweep(&transaction, self.sweeping.events())?;
        transaction.commit()?;
        Ok(piece)
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
