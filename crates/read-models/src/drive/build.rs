//! Drives one build: what is fed goes into its target, what is parked is tried again.

use super::{
    feed::{self, Fed, Wanted},
    progress::{Progress, State},
};
use crate::{
    error::in_words,
    registry::Ask,
    target::{Batch, ParkedOf, Replay, Standing, Target, TargetError},
};
use fairway_ledger::{Event, From, Ledger, Position, Read, Scope};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{Notify, mpsc, watch};

/// Most pages that are taken in at once; each is bounded in events and bytes.
const PAGES_MAX: usize = 4;
/// Most parked events that are tried again at once.
const REPLAY_MAX: usize = 1_000;
/// The first pause after a target failed; it doubles up to the longest.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// How long is waited for what is to end, if it can be left.
pub(super) const LEFT_AFTER: Duration = Duration::from_secs(2);

/// One build while it is driven.
pub(super) struct Build {
    pub(super) ledger: Ledger,
    pub(super) wanted: Wanted,
    pub(super) target: Box<dyn Target>,
    /// What was asked of the read model.
    pub(super) asks: watch::Receiver<BTreeMap<u64, Ask>>,
    pub(super) progress: watch::Sender<Progress>,
    /// Told when there is nothing more to take in, and when it cannot go on.
    pub(super) done: Arc<Notify>,
    pub(super) stop: watch::Receiver<bool>,
}

impl Build {
    /// Drives until it is told to stop; says where it then is.
    pub(super) async fn run(mut self) -> Position {
        let mut stop = self.stop.clone();
        let mut pause = PAUSE;
        loop {
            let left = left(self.stop.clone(), self.target.can_be_left());
            let followed = tokio::select! {
                followed = self.follow(&mut stop, &mut pause) => followed,
                () = left => Ok(()),
            };
            match followed {
                Ok(()) => break,
                Err(error) => {
                    self.progress.send_modify(|progress| {
                        progress.state = State::Failing(in_words(&error));
                    });
                    self.done.notify_one();
                }
            }
            tokio::select! {
                () = stopped(&mut stop) => break,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
            }
        }
        self.progress.borrow().standing.map_or(Position(0), |standing| standing.position)
    }

    /// Follows until it is told to stop, or something fails.
    async fn follow(
        &mut self,
        stop: &mut watch::Receiver<bool>,
        pause: &mut Duration,
    ) -> Result<(), TargetError> {
        let mut standing = self.target.open().await?;
        check_past(&self.ledger, standing.position).await?;
        self.tell(standing, None);
        let mut fed = feed::start(self.ledger.clone(), self.wanted.clone(), standing.position);
        loop {
            standing = self.do_asks(standing).await?;
            *pause = PAUSE;
            tokio::select! {
                biased;
                () = stopped(stop) => return Ok(()),
                Ok(()) = self.asks.changed() => {}
                () = sleep(standing.due) => standing = self.replay_due().await?,
                next = fed.recv() => match next {
                    Some(next) => standing = self.take(next, &mut fed, standing).await?,
                    None => return Ok(()),
                },
            }
        }
    }

    /// Takes in what came, and with it what came meanwhile.
    async fn take(
        &mut self,
        first: Fed,
        fed: &mut mpsc::Receiver<Fed>,
        standing: Standing,
    ) -> Result<Standing, TargetError> {
        let (mut batch, mut state) = (Batch { events: Vec::new(), to: standing.position }, None);
        let (mut next, mut pages) = (Some(first), 0);
        while let Some(one) = next {
            pages += 1;
            state = Some(match one {
                Fed::Batch(mut more) => {
                    batch.events.append(&mut more.events);
                    batch.to = more.to;
                    State::CatchingUp
                }
                Fed::AllUpTo(position) => {
                    batch.to = batch.to.max(position);
                    State::Following
                }
                Fed::Failing(why) => State::Failing(why),
            });
            next = if pages < PAGES_MAX { fed.try_recv().ok() } else { None };
        }
        let is_new = batch.to > standing.position;
        let standing = if is_new { self.target.apply(batch).await? } else { standing };
        self.tell(standing, state);
        Ok(standing)
    }

    fn tell(&self, standing: Standing, state: Option<State>) {
        self.progress.send_modify(|progress| {
            progress.standing = Some(standing);
            if let Some(state) = state {
                progress.state = state;
            }
        });
        if self.progress.borrow().state != State::CatchingUp {
            self.done.notify_one();
        }
    }

    /// Does what was asked since the last time.
    async fn do_asks(&mut self, mut standing: Standing) -> Result<Standing, TargetError> {
        let asks = self.asks.borrow_and_update().clone();
        for (version, ask) in asks.range(standing.asks + 1..) {
            let (of, mut left) = match ask {
                Ask::Retry(Some(key)) => (ParkedOf::Key(key.clone()), BTreeSet::new()),
                Ask::Retry(None) => (ParkedOf::All, BTreeSet::new()),
                Ask::Skip(position) => (self.key_of(*position).await?, BTreeSet::from([*position])),
            };
            let events = self.parked_events(of, &mut left).await?;
            let is_of_all = *ask == Ask::Retry(None);
            let replay = Replay { events, left, ask: Some(*version), is_of_all };
            standing = self.target.replay(replay).await?;
            self.tell(standing, None);
        }
        Ok(standing)
    }

    async fn replay_due(&mut self) -> Result<Standing, TargetError> {
        let mut left = BTreeSet::new();
        let events = self.parked_events(ParkedOf::Due, &mut left).await?;
        let replay = Replay { events, left, ..Replay::default() };
        let standing = self.target.replay(replay).await?;
        self.tell(standing, None);
        Ok(standing)
    }

    /// What waits together with a parked event; nothing if it is not parked.
    async fn key_of(&mut self, position: u64) -> Result<ParkedOf, TargetError> {
        let all = self.target.parked(ParkedOf::At(position), 1).await?;
        let key = all.into_iter().next().map(|parked| parked.key);
        Ok(key.map_or(ParkedOf::At(position), ParkedOf::Key))
    }

    /// Parked events as the ledger has them; those that it has no more are left out.
    async fn parked_events(
        &mut self,
        of: ParkedOf,
        left: &mut BTreeSet<u64>,
    ) -> Result<Vec<Event>, TargetError> {
        let mut events = Vec::new();
        for parked in self.target.parked(of, REPLAY_MAX).await? {
            let scope = Scope::All(From::After(Position(parked.position - 1)));
            let page = self.ledger.read(Read::new(scope, 1)).await;
            let page =
                page.map_err(|error| TargetError::unusable("could not read the ledger", error))?;
            match page.into_iter().next() {
                Some(event) if event.position.0 == parked.position => events.push(event),
                _ => {
                    left.insert(parked.position);
                }
            }
        }
        Ok(events)
    }
}

/// A ledger that was restored to an earlier state has other events where the build has been.
async fn check_past(ledger: &Ledger, position: Position) -> Result<(), TargetError> {
    let head = ledger.head().await;
    let head = head.map_err(|error| TargetError::unusable("could not read the ledger", error))?;
    if head >= position {
        return Ok(());
    }
    let place = ledger.place();
    Err(TargetError::Foreign(format!(
        "the read model is at {position} and ledger `{place}` only at {head}; rebuild it"
    )))
}

/// Returns when a build is to end, also because nobody is left to say so.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    stop.wait_for(|stop| *stop).await.map(drop).unwrap_or_default();
}

/// Returns when a build that is to end is not waited for any more; never if it cannot be left.
async fn left(mut stop: watch::Receiver<bool>, can_be_left: bool) {
    stopped(&mut stop).await;
    sleep(can_be_left.then_some(LEFT_AFTER)).await;
}

/// Sleeps for a while, or for ever.
async fn sleep(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}
