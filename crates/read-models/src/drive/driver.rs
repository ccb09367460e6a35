//! The one driver of a ledger's read models.

use super::{
    build::{LEFT_AFTER, stopped},
    claim::Claim,
    lock::DriverLock,
    progress::{Progress, State},
    running::Running,
    verdict::{Verdict, judge},
    watch::{self as watching, Remark},
};
use crate::{
    error::ReadModelError,
    open::{Places, open_target},
    registry::{BuildId, Built, Fact, ModelState, Registry, facts_filter, stream_of},
};
use fairway_ledger::{Append, AppendError, Expected, Ledger, Position};
use fairway_model::ReadModelName;
use futures_util::future::join_all;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{Instant, sleep_until, timeout},
};

/// How long a new build may take for what the old one had more, before the swap is put off.
const SWAP: Duration = Duration::from_secs(10);
/// The pause after the ledger could not be used.
const PAUSE: Duration = Duration::from_secs(1);
/// The pause after a build could not be removed.
const REMOVE_AGAIN: Duration = Duration::from_secs(10);

/// What all parts of a driver share.
pub(crate) struct Setting {
    pub(crate) ledger: Ledger,
    pub(crate) places: Places,
    /// What is known of builds, for those who wait for them.
    pub(crate) known: watch::Sender<HashMap<BuildKey, watch::Receiver<Progress>>>,
    /// What people should know of builds.
    pub(crate) remarks: mpsc::Sender<Remark>,
}

/// Names a build among those of all read models.
pub(crate) type BuildKey = (ReadModelName, BuildId);

/// A process that drives, or waits until it may.
pub(crate) struct Driver {
    setting: Setting,
    _lock: DriverLock,
}

/// A driver while it drives.
struct Driving<'s> {
    setting: &'s Setting,
    claim: &'s Claim,
    registry: Registry,
    running: HashMap<BuildKey, Running>,
    /// Told by builds that have all there is, or cannot go on.
    done: Arc<Notify>,
}

impl Driver {
    /// Takes the lock; fails if another process of this machine has it.
    pub(crate) fn new(setting: Setting) -> Result<Self, ReadModelError> {
        let lock = DriverLock::take(&setting.places.dir, &setting.ledger.place())?;
        Ok(Self { setting, _lock: lock })
    }

    /// Drives whenever it has the ledger, until it is told to stop.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let setting = &self.setting;
        loop {
            let claim = tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                claim = Claim::wait(&setting.ledger) => claim,
            };
            Driving::new(setting, &claim).run(stop.clone()).await;
            // A ledger that is away is not waited for.
            timeout(LEFT_AFTER, claim.release()).await.unwrap_or_default();
        }
    }
}

impl<'s> Driving<'s> {
    fn new(setting: &'s Setting, claim: &'s Claim) -> Self {
        let (registry, running, done) = (Registry::default(), HashMap::new(), Arc::default());
        Self { setting, claim, registry, running, done }
    }

    /// Drives until it is told to stop, or somebody else has the ledger.
    async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut lost = self.claim.lost();
        let end = async {
            tokio::select! {
                () = stopped(&mut stop) => {}
                () = stopped(&mut lost) => {}
            }
        };
        tokio::pin!(end);
        while self.follow(&mut end).await.is_err() {
            tokio::select! {
                () = &mut end => break,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
        self.setting.known.send_modify(HashMap::clear);
        join_all(self.running.into_values().map(Running::end)).await;
    }

    async fn follow(
        &mut self,
        end: &mut (impl Future<Output = ()> + Unpin),
    ) -> Result<(), ReadModelError> {
        let mut facts = self.setting.ledger.subscribe_to(facts_filter(), Position(0))?;
        self.registry = Registry::default();
        if self.running.is_empty() {
            watching::clear(&self.setting.ledger).await?;
        }
        loop {
            while let Some(event) = facts.try_next().await? {
                self.registry.apply(&event);
            }
            self.settle().await?;
            // What was accepted may have all there is.
            self.done.notify_one();
            let remove_at = Instant::now() + REMOVE_AGAIN;
            loop {
                tokio::select! {
                    () = &mut *end => return Ok(()),
                    event = facts.next() => self.registry.apply(&event?),
                    () = self.done.notified() => {
                        let ready = self.ready();
                        if ready.is_empty() {
                            continue;
                        }
                        for (key, model, verdict) in ready {
                            self.decide(&key, &model, verdict).await?;
                        }
                    }
                    () = sleep_until(remove_at), if self.has_retired() => {}
                }
                break;
            }
        }
    }

    /// The builds that are not read yet and have all there is, and what is to be done with them.
    fn ready(&self) -> Vec<(BuildKey, ModelState, Verdict)> {
        let ready = |(name, model): (&ReadModelName, &ModelState)| {
            let key = (name.clone(), model.candidate()?.id);
            if self.running.get(&key)?.progress.borrow().state != State::Following {
                return None;
            }
            let live = model.live.as_ref().map(|live| self.progress(&(name.clone(), live.id)));
            let verdict = self.judge(&key, model, live.as_ref());
            let is_new = match verdict {
                Verdict::Swap => true,
                Verdict::Wait => false,
                Verdict::Withhold => model.withheld().is_none(),
            };
            is_new.then(|| (key, model.clone(), verdict))
        };
        self.registry.models().filter_map(ready).collect()
    }

    fn judge(&self, key: &BuildKey, model: &ModelState, live: Option<&Progress>) -> Verdict {
        if model.accepted == Some(key.1) {
            return Verdict::Swap;
        }
        judge(self.progress(key).standing.unwrap_or_default(), live)
    }

    /// What is known of a build that runs.
    fn progress(&self, key: &BuildKey) -> Progress {
        let running = self.running.get(key);
        running.map(|running| running.progress.borrow().clone()).unwrap_or_default()
    }

    fn has_retired(&self) -> bool {
        self.registry.models().any(|(_, model)| !model.retired.is_empty())
    }

    /// Starts what should run, stops what should not, and removes what is read no more.
    async fn settle(&mut self) -> Result<(), ReadModelError> {
        let models: Vec<(ReadModelName, ModelState)> =
            self.registry.models().map(|(name, model)| (name.clone(), model.clone())).collect();
        let mut wanted = HashSet::new();
        for (name, model) in &models {
            for built in model.live.iter().chain(model.candidate()) {
                let key = (name.clone(), built.id);
                if self.running.get(&key).is_some_and(|one| one.skipped != model.skipped) {
                    // It leaves out what is to be skipped also where it has not been yet.
                    self.end(&key).await;
                }
                wanted.insert(key);
                self.ensure(name, model, built);
            }
        }
        let is_left = |key: &&BuildKey| !wanted.contains(*key);
        let left: Vec<BuildKey> = self.running.keys().filter(is_left).cloned().collect();
        for key in left {
            self.end(&key).await;
        }
        for (name, model) in &models {
            for built in &model.retired {
                self.remove(name, built).await?;
            }
        }
        Ok(())
    }

    /// Starts a build if it does not run, else tells it what was asked.
    fn ensure(&mut self, name: &ReadModelName, model: &ModelState, built: &Built) {
        let key = (name.clone(), built.id);
        if let Some(running) = self.running.get(&key) {
            running.asks.send_replace(model.asks.clone());
            return;
        }
        let running = Running::start((self.setting, self.claim), built, (model, self.done.clone()));
        self.setting.known.send_modify(|known| {
            known.insert(key.clone(), running.progress.clone());
        });
        self.running.insert(key, running);
    }

    /// Stops a build; says where it then is.
    async fn end(&mut self, key: &BuildKey) -> Option<Position> {
        let running = self.running.remove(key)?;
        self.setting.known.send_modify(|known| {
            known.remove(key);
        });
        Some(running.end().await)
    }

    /// Does with a build that has all there is what is to be done.
    async fn decide(
        &mut self,
        key: &BuildKey,
        model: &ModelState,
        verdict: Verdict,
    ) -> Result<(), ReadModelError> {
        match verdict {
            Verdict::Swap => self.swap(key, model).await,
            Verdict::Wait => Ok(()),
            Verdict::Withhold => {
                let withheld = Fact::Withheld { build: key.1 };
                self.tell(&key.0, Expected::Exact(model.version), &withheld).await
            }
        }
    }

    /// Lets a build that has all there is take the place of the one that is read.
    async fn swap(&mut self, key: &BuildKey, model: &ModelState) -> Result<(), ReadModelError> {
        let (name, id) = key;
        // The old one stands still meanwhile, so that no reader is taken back in time.
        if let Some(live) = &model.live {
            let live = (name.clone(), live.id);
            let last = self.running.get(&live).map(|running| running.progress.clone());
            let at = self.end(&live).await.unwrap_or_default();
            if !self.reaches(key, at).await {
                return Ok(());
            }
            // What came meanwhile may have been parked.
            let last = last.map(|last| last.borrow().clone()).unwrap_or_default();
            if self.judge(key, model, Some(&last)) != Verdict::Swap {
                return Ok(());
            }
        }
        let live = Fact::Live { build: *id };
        self.tell(name, Expected::Exact(model.version), &live).await
    }

    /// Waits until a build is at a position; false if it does not come so far.
    async fn reaches(&self, key: &BuildKey, position: Position) -> bool {
        let Some(running) = self.running.get(key) else { return false };
        let mut progress = running.progress.clone();
        let is_there = |progress: &Progress| {
            progress.standing.is_some_and(|standing| standing.position >= position)
        };
        let wait = timeout(SWAP, progress.wait_for(is_there));
        matches!(wait.await, Ok(Ok(_)))
    }

    /// Removes a build that is read no more. What cannot be removed now is tried again later.
    async fn remove(&mut self, name: &ReadModelName, built: &Built) -> Result<(), ReadModelError> {
        let Setting { ledger, places, .. } = self.setting;
        let mut target = open_target(places, built, (ledger, Arc::default()));
        if target.remove().await.is_err() {
            return Ok(());
        }
        self.tell(name, Expected::Any, &Fact::BuildRemoved { build: built.id }).await
    }

    /// Writes down a fact. If another came between, that one is looked at first.
    async fn tell(
        &self,
        name: &ReadModelName,
        expected: Expected,
        fact: &Fact,
    ) -> Result<(), ReadModelError> {
        let event = fact.event().expect("facts about read models are JSON");
        let mut appends = vec![Append { stream: stream_of(name), expected, events: vec![event] }];
        appends.extend(self.claim.fence());
        match self.setting.ledger.append_all(appends).await {
            Ok(_) => Ok(()),
            Err(AppendError::Conflict { stream, .. }) => {
                self.claim.refused(&stream);
                Ok(())
            }
            Err(AppendError::Ledger(error)) => Err(error.into()),
            Err(error) => Err(ReadModelError::append(name, error)),
        }
    }
}
