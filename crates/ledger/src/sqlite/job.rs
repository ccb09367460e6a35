//! What the writer's thread is asked to do, and the group of what is waiting that it does at once.

use crate::{
    append::{Append, AppendError, Appended},
    error::LedgerError,
    sqlite::append::{Head, Outcome, apply},
};
use rusqlite::{Connection, Error, Transaction};
use tokio::sync::{mpsc, oneshot};

/// Most jobs of one transaction.
const GROUP_MAX: usize = 1024;
/// A transaction takes no more jobs after this many events.
const GROUP_EVENTS_MAX: usize = 20_000;
/// A transaction takes no more jobs after this many bytes, so that those who wait for it do not wait
/// long.
const GROUP_BYTES_MAX: usize = 32 << 20;

pub(super) type AppendResult = Result<Vec<Appended>, AppendError>;
/// Other work, done inside the writer's transaction; false does nothing more.
pub(super) type Work = Box<dyn Fn(&Connection) -> Result<bool, Error> + Send>;

/// Something to be written, what came of it, and who waits for that.
pub(super) enum Job {
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
    pub(super) fn perform(
        &mut self,
        transaction: &mut Transaction<'_>,
        head: &mut Head,
    ) -> Result<(), Error> {
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

    /// Whether this, once it is committed, may have left events that are truncated.
    pub(super) fn has_truncated(&self) -> bool {
        match self {
            Self::Append { appends, outcome: Ok(_), .. } => {
                appends.iter().any(|append| !append.retentions().is_empty())
            }
            Self::Append { .. } | Self::Work { .. } => false,
        }
    }

    /// Tells who waits, unless nobody waits any more.
    pub(super) fn answer(self, committed: Result<(), LedgerError>) {
        match self {
            Self::Append { outcome, reply, .. } => drop(reply.send(match committed {
                Ok(()) => outcome,
                Err(error) => Err(error.into()),
            })),
            Self::Work { outcome, reply, .. } => drop(reply.send(committed.map(|()| outcome))),
        }
    }
}

/// All jobs that are waiting, as far as one transaction takes them.
pub(super) fn take_group(first: Job, queue: &mut mpsc::Receiver<Job>) -> Vec<Job> {
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
