//! The one task of a process that appends. While it holds the lease, it takes all that is waiting,
//! decides on it by what it knows of the streams, commits it in one batch, and only then answers.
//!
//! Between groups, and while nothing is waiting, it removes what is truncated, piece by piece: see
//! [`super::sweep`].
//!
//! If the connection is lost in the middle of a commit, it first ends its own token, so that the
//! batch cannot come to be any more if it has not, and then looks whether it has.

use crate::{
    address::Address,
    appender::{
        batch::Stored,
        hold::Hold,
        lease::{self, BatchId, Claim},
        plan::Planner,
        queue::{AppendResult, Job, Queue},
        session::Session,
        sweep::{self, now},
    },
    back_off::BackOff,
    connection::Link,
    error::Fault,
};
use fairway_ledger::{Clock, LedgerError, LedgerId, Position, Sweeping};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// How long a server that is away is tried before appends are answered with that.
const REACH_MAX: Duration = Duration::from_secs(20);
/// How long the lease is kept at least while there is something to append, though others want it.
const HOLD_MIN: Duration = Duration::from_millis(20);

/// The task's state.
#[derive(Debug)]
pub(crate) struct Appending {
    id: LedgerId,
    pub(super) address: Arc<Address>,
    clock: Clock,
    head: watch::Sender<Position>,
    /// Names this task among all that want the lease.
    pub(super) me: String,
    pub(super) committed: Arc<Notify>,
    pub(super) session: Option<Session>,
    pub(super) hold: Option<Hold>,
    pub(super) sweeping: Sweeping<(Job, AppendResult)>,
}

/// A batch of which nobody knows whether it was committed, and what its appends are told if so.
#[derive(Debug)]
struct Unsettled {
    id: BatchId,
    results: Vec<AppendResult>,
}

/// Why a try to append came to nothing.
#[derive(Debug)]
pub(super) enum Failure {
    Fault(Fault),
    Ledger(LedgerError),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl Appending {
    /// `head` is told the position after each commit.
    pub(crate) fn new(
        id: LedgerId,
        address: Arc<Address>,
        (clock, head): (Clock, watch::Sender<Position>),
        sweeping: Sweeping<(Job, AppendResult)>,
    ) -> Self {
        let me = lease::new_holder();
        let (committed, session, hold) = (Arc::default(), None, None);
        Self { id, address, clock, head, me, committed, session, hold, sweeping }
    }

    /// Appends until nobody can ask for it any more.
    pub(crate) async fn run(mut self, mut queue: Queue) {
        loop {
            tokio::select! {
                biased;
                group = queue.group() => match group {
                    Some(group) => self.perform(group).await,
                    None => break,
                },
                () = self.idle() => self.look().await,
                () = sweep::pause(self.sweeping.pause(now())) => {}
            }
            if self.sweeping.is_due(now()) {
                self.sweep().await;
            }
            let is_due = |hold: &Hold| {
                hold.is_wanted && (queue.is_empty() || hold.taken.elapsed() >= HOLD_MIN)
            };
            if self.hold.as_ref().is_some_and(is_due) {
                self.release().await;
            }
        }
        self.release().await;
    }

    /// Appends a group and answers it.
    async fn perform(&mut self, group: Vec<Job>) {
        let mut back_off = BackOff::until(REACH_MAX);
        let mut unsettled = None;
        loop {
            let failure = match self.attempt(&group, &mut unsettled).await {
                Ok(results) => {
                    self.answer(group, results);
                    return;
                }
                Err(failure) => failure,
            };
            self.hold = None;
            let error = match failure {
                Failure::Ledger(error) => error,
                Failure::Fault(fault) => {
                    self.session = None;
                    if fault.is_passing() && !back_off.is_over() {
                        back_off.pause().await;
                        continue;
                    }
                    match unsettled {
                        Some(_) => fault.unsettled_at(self.address.place()),
                        None => fault.at(self.address.place()),
                    }
                }
            };
            for job in group {
                job.answer(Err(error.clone().into()));
            }
            return;
        }
    }

    /// Answers what is on disk. Who truncated something is told after that is swept.
    fn answer(&mut self, group: Vec<Job>, results: Vec<AppendResult>) {
        for (job, result) in group.into_iter().zip(results) {
            let told = match result {
                Ok(_) if job.truncates() => self.sweeping.begin_for((job, result)),
                result => Some((job, result)),
            };
            if let Some((job, result)) = told {
                job.answer(result);
            }
        }
    }

    /// Tries to append a group. When this returns what its appends are told, that is on disk; when
    /// it fails and leaves nothing unsettled, nothing is.
    async fn attempt(
        &mut self,
        group: &[Job],
        unsettled: &mut Option<Unsettled>,
    ) -> Result<Vec<AppendResult>, Failure> {
        let link = self.link().await?;
        if let Some(results) = self.settle(&link, unsettled).await? {
            return Ok(results);
        }
        self.take_lease(&link).await?;
        let hold = self.hold.as_mut().expect("the lease was taken");
        let appends = group.iter().flat_map(|job| &job.appends);
        let places = hold.known.learn(&link, self.id, appends).await?;
        let mut end = hold.lease.clone();
        end.recorded = self.clock.now().max(end.recorded);
        let mut planner = Planner::new(&mut hold.known, places, &mut end);
        let results = group.iter().map(|job| planner.append(&job.appends)).collect();
        let batch = planner.finish();
        if batch.events() == 0 {
            // What was decided was true if the lease is still ours.
            let is_held = lease::is_held(&link, end.token).await?;
            return if is_held { Ok(results) } else { Err(self.fenced()) };
        }
        match batch.store(&link, hold.lease.position, &end).await {
            Ok(Stored::Done { is_wanted }) => {
                (hold.lease, hold.is_wanted, hold.used) = (end, is_wanted, Instant::now());
                hold.batches += 1;
                self.head.send_replace(hold.lease.position);
                self.committed.notify_one();
                Ok(results)
            }
            Ok(Stored::Fenced) => Err(self.fenced()),
            Err(fault) => {
                if !fault.is_refusal() {
                    let id = BatchId { token: end.token, end: end.position };
                    *unsettled = Some(Unsettled { id, results });
                }
                Err(fault.into())
            }
        }
    }

    /// Finds out about a batch of which nobody knows: what its appends are told if it was
    /// committed.
    async fn settle(
        &mut self,
        link: &Link,
        unsettled: &mut Option<Unsettled>,
    ) -> Result<Option<Vec<AppendResult>>, Failure> {
        let Some(Unsettled { id, .. }) = unsettled else { return Ok(None) };
        // From here on the batch cannot be committed any more: its token is over.
        let claim = lease::claim(link, &self.address, &self.me).await?;
        let was_committed = lease::was_committed(link, *id).await?;
        if let Claim::Taken(lease) = claim {
            self.hold = Some(Hold::new(lease));
        }
        let results = unsettled.take().map(|unsettled| unsettled.results);
        match was_committed {
            Some(true) => {
                self.head.send_modify(|_| {});
                self.committed.notify_one();
                Ok(results)
            }
            Some(false) => Ok(None),
            None => Err(Failure::Ledger(Fault::Silent.at(self.address.place()))),
        }
    }

    fn fenced(&self) -> Failure {
        Failure::Ledger(LedgerError::Fenced(self.address.place().to_owned()))
    }
}
