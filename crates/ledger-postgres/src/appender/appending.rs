//! The one task of a process that appends. While it holds the lease, it takes all that is waiting,
//! decides on it by what it knows of the streams, commits it in one batch, and only then answers.
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
    },
    back_off::BackOff,
    connection::Link,
    error::Fault,
};
use fairway_ledger::{Clock, LedgerError, LedgerId, Position};
use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// How long a server that is away is tried before appends are answered with that.
const REACH_MAX: Duration = Duration::from_secs(20);
/// How long another process may take to hand over.
const WAIT_MAX: Duration = Duration::from_secs(15);
/// How long the lease is kept at least while there is something to append, though others want it.
const HOLD_MIN: Duration = Duration::from_millis(20);
/// How long the lease is kept while there is nothing to append.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// How often who holds the lease looks whether others want it, if no notification says so.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The task's state.
#[derive(Debug)]
pub(crate) struct Appending {
    id: LedgerId,
    address: Arc<Address>,
    clock: Clock,
    head: watch::Sender<Position>,
    /// Names this task among all that want the lease.
    me: String,
    committed: Arc<Notify>,
    session: Option<Session>,
    hold: Option<Hold>,
}

/// A batch of which nobody knows whether it was committed, and what its appends are told if so.
#[derive(Debug)]
struct Unsettled {
    id: BatchId,
    results: Vec<AppendResult>,
}

/// Why a try to append came to nothing.
#[derive(Debug)]
enum Failure {
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
    pub(crate) fn new(
        id: LedgerId,
        address: Arc<Address>,
        clock: Clock,
        head: watch::Sender<Position>,
    ) -> Self {
        let number = RandomState::new().hash_one("appender");
        let me = format!("{}-{number:016x}", std::process::id());
        let (committed, session, hold) = (Arc::default(), None, None);
        Self { id, address, clock, head, me, committed, session, hold }
    }

    /// Appends until nobody can ask for it any more.
    pub(crate) async fn run(mut self, mut queue: Queue) {
        loop {
            tokio::select! {
                group = queue.group() => match group {
                    Some(group) => self.perform(group).await,
                    None => break,
                },
                () = self.idle() => self.look().await,
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
                    for (job, result) in group.into_iter().zip(results) {
                        job.answer(result);
                    }
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

    /// The connection, which is made if there is none.
    async fn link(&mut self) -> Result<Arc<Link>, Fault> {
        match &self.session {
            Some(session) if !session.link.is_closed() => return Ok(session.link.clone()),
            _ => self.hold = None,
        }
        let session = Session::start(&self.address, self.committed.clone()).await?;
        let link = session.link.clone();
        self.session = Some(session);
        Ok(link)
    }

    /// Takes the lease unless we have it; waits while another process hands it over.
    async fn take_lease(&mut self, link: &Link) -> Result<(), Failure> {
        if let Some(hold) = &mut self.hold
            && hold.keep(link).await?
        {
            return Ok(());
        }
        self.hold = None;
        let mut back_off = BackOff::until(WAIT_MAX);
        loop {
            match lease::claim(link, &self.address, &self.me).await? {
                Claim::Taken(lease) => {
                    self.hold = Some(Hold::new(lease));
                    return Ok(());
                }
                Claim::Moved(to) => {
                    let ledger = self.address.place().to_owned();
                    return Err(LedgerError::Moved { ledger, to }.into());
                }
                Claim::Held if back_off.is_over() => {
                    return Err(LedgerError::Busy(self.address.place().to_owned()).into());
                }
                Claim::Held => tokio::select! {
                    () = link.told.notified() => {}
                    () = back_off.pause() => {}
                },
            }
        }
    }

    /// Waits until it is time to look whether others want the lease; for ever without it.
    async fn idle(&self) {
        match (&self.session, &self.hold) {
            (Some(session), Some(_)) => tokio::select! {
                () = session.link.told.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            },
            _ => std::future::pending().await,
        }
    }

    /// Looks whether others want the lease, or nobody has appended for long.
    async fn look(&mut self) {
        let (Some(session), Some(hold)) = (&self.session, &mut self.hold) else { return };
        if let Ok(is_wanted) = lease::is_wanted(&session.link, hold.lease.token).await {
            hold.is_wanted = is_wanted || hold.used.elapsed() >= IDLE_MAX;
        } else {
            // The next append makes a new connection and asks for the lease again.
            (self.session, self.hold) = (None, None);
        }
    }

    /// Gives the lease back. If that fails, the connection has ended, and others see that.
    async fn release(&mut self) {
        let (Some(session), Some(hold)) = (&self.session, self.hold.take()) else { return };
        if lease::release(&session.link, &self.address, hold.lease.token).await.is_err() {
            self.session = None;
        }
    }

    fn fenced(&self) -> Failure {
        Failure::Ledger(LedgerError::Fenced(self.address.place().to_owned()))
    }
}
