//! The groups of a ledger.

use crate::{
    consumer::{Acks, Consumer, Delivery, Nack, Token},
    consumer_name::ConsumerName,
    driver::{self, Handle},
    error::{Ended, GroupError},
    facts::{Fact, Facts, Standing},
    group_id::{GROUP_CATEGORY, GroupId, Source},
    info::GroupSummary,
    progress_row,
    request::{Answer, Joining, Request, Taking, Who},
    settings::{Settings, SettingsError, Start},
};
use fairway_ledger::{AppendError, Expected, Ledger, ListStreams, PAGE_STREAMS_MAX};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Mutex as Turn, mpsc, oneshot},
    time::Instant,
};

/// Longest wait of [`Groups::take`].
pub const TAKE_WAIT_MAX: Duration = Duration::from_mins(5);
/// How often something is asked of a driver that ends meanwhile.
const TRIES_MAX: u32 = 5;

/// The groups of a ledger. Cheap to clone. A group that consumers of this process want is handed out
/// by this process, until [`Groups::close`], or until the last clone and consumer are dropped.
#[derive(Debug, Clone)]
pub struct Groups(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ledger: Ledger,
    /// None when closed.
    drivers: Mutex<Option<Drivers>>,
}

/// The driver of each group that has or had one; one at a time starts or ends it.
type Drivers = HashMap<GroupId, Arc<Turn<Option<Handle>>>>;

/// What a consumer that takes asks for.
#[derive(Debug, Clone)]
pub struct Take {
    /// Who takes. It has what it took until it says what became of it or the time-out.
    pub consumer: ConsumerName,
    /// At most so many events.
    pub most: u32,
    /// How long to wait if there are none; at most [`TAKE_WAIT_MAX`].
    pub wait: Duration,
}

impl Groups {
    /// The groups of a ledger. Nothing is done until something is asked for.
    pub fn open(ledger: Ledger) -> Self {
        Self(Arc::new(Inner { ledger, drivers: Mutex::new(Some(HashMap::new())) }))
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// Creates a group.
    pub async fn create(&self, id: &GroupId, settings: Settings) -> Result<(), GroupError> {
        settings.check()?;
        let start = self.start_of(id, settings.start).await?;
        let settings = Box::new(Settings { start, ..settings });
        let (source, name) = (id.source().clone(), id.name().clone());
        self.decide(id, |facts| match facts.group {
            Some(_) => Err(GroupError::Exists(id.clone())),
            None => Ok(Some(Fact::Created {
                source: source.clone(),
                name: name.clone(),
                settings: settings.clone(),
            })),
        })
        .await
    }

    /// Gives a group other settings, but for its filter and its start. Its consumers are
    /// disconnected.
    pub async fn update(&self, id: &GroupId, settings: Settings) -> Result<(), GroupError> {
        settings.check()?;
        self.decide(id, |facts| {
            let before = facts.group.as_ref().ok_or_else(|| GroupError::Unknown(id.clone()))?;
            let Settings { filter, start, .. } = before.settings.clone();
            let settings = Settings { filter, start, ..settings.clone() };
            Ok(Some(Fact::Updated { settings: Box::new(settings) }))
        })
        .await?;
        self.stop(id, Ended::Updated).await;
        Ok(())
    }

    /// Removes a group. Its consumers are disconnected; what was parked is forgotten.
    pub async fn remove(&self, id: &GroupId) -> Result<(), GroupError> {
        self.decide(id, |facts| match facts.group {
            Some(_) => Ok(Some(Fact::Removed)),
            None => Err(GroupError::Unknown(id.clone())),
        })
        .await?;
        self.stop(id, Ended::Removed).await;
        Ok(progress_row::remove(self.ledger(), id).await?)
    }

    /// All groups, by the names of their streams.
    pub async fn list(&self) -> Result<Vec<GroupSummary>, GroupError> {
        let mut groups = Vec::new();
        let (prefix, limit) = (format!("{GROUP_CATEGORY}-"), PAGE_STREAMS_MAX);
        let mut after = String::new();
        loop {
            let asked = ListStreams { prefix: prefix.clone(), after, limit };
            let page = self.ledger().streams(asked).await?;
            let Some(end) = page.last() else { return Ok(groups) };
            after = end.name.to_string();
            for stream in page {
                let facts = Facts::load(self.ledger(), &stream.name).await?;
                if let Some(Standing { source, name, settings, .. }) = facts.group {
                    groups.push(GroupSummary { id: GroupId::new(source, name)?, settings });
                }
            }
        }
    }

    /// How a group is set.
    pub async fn settings(&self, id: &GroupId) -> Result<Settings, GroupError> {
        let facts = Facts::load(self.ledger(), id.stream()).await?;
        facts.group.map(|group| group.settings).ok_or_else(|| GroupError::Unknown(id.clone()))
    }

    /// Connects a consumer, to have at most `credit` events at once, and at most as many as the
    /// group allows.
    pub async fn connect(
        &self,
        id: &GroupId,
        name: &ConsumerName,
        credit: u32,
    ) -> Result<Consumer, GroupError> {
        let most = self.settings(id).await?.consumer_in_flight_max;
        let credit = credit.clamp(1, most);
        for _ in 0..TRIES_MAX {
            let requests = self.requests(id).await?;
            // What times out and comes again is there twice.
            let (deliver, deliveries) = mpsc::channel(2 * credit as usize);
            let (here, gone) = oneshot::channel();
            let ended: Arc<OnceLock<Ended>> = Arc::default();
            let name = name.clone();
            let seat =
                Joining { name: name.clone(), credit, deliveries: deliver, ended: ended.clone() };
            let joined = ask(&requests, |reply| Request::Join { seat, gone, reply }).await;
            if let Some(joined) = joined {
                let acks = Acks::new((id.clone(), name), joined?, requests, ended);
                return Ok(Consumer::new(deliveries, acks, here));
            }
        }
        Err(self.ended(id))
    }

    /// Takes events for a consumer, for as long as the group's time-out, and waits if there are
    /// none. Dropped before it returns, nothing was taken.
    pub async fn take(&self, id: &GroupId, take: Take) -> Result<Vec<Delivery>, GroupError> {
        let until = Instant::now() + take.wait.min(TAKE_WAIT_MAX);
        let take = Taking { name: take.consumer, most: take.most, until };
        self.tried(id, |reply| Request::Take { take: take.clone(), reply }).await?
    }

    /// Says that events are done that a consumer took. Returns those that it did not have.
    pub async fn ack(
        &self,
        id: &GroupId,
        consumer: &ConsumerName,
        tokens: Vec<Token>,
    ) -> Result<Vec<Token>, GroupError> {
        self.answer(id, (consumer, tokens), Answer::Ack).await
    }

    /// Says that events are not done that a consumer took, and what is to become of them. Returns
    /// those that it did not have.
    pub async fn nack(
        &self,
        id: &GroupId,
        (consumer, tokens): (&ConsumerName, Vec<Token>),
        nack: Nack,
        reason: &str,
    ) -> Result<Vec<Token>, GroupError> {
        let answer = Answer::Nack(nack, reason.to_owned());
        self.answer(id, (consumer, tokens), answer).await
    }

    /// Says that a consumer is still at work with events that it took: from now on it has as long
    /// for them as if it had just taken them. Returns those that it did not have.
    pub async fn extend(
        &self,
        id: &GroupId,
        consumer: &ConsumerName,
        tokens: Vec<Token>,
    ) -> Result<Vec<Token>, GroupError> {
        self.answer(id, (consumer, tokens), Answer::Extend).await
    }

    async fn answer(
        &self,
        id: &GroupId,
        (consumer, tokens): (&ConsumerName, Vec<Token>),
        answer: Answer,
    ) -> Result<Vec<Token>, GroupError> {
        let who = Who::Named(consumer.clone());
        self.tried(id, |reply| {
            let (who, tokens, answer) = (who.clone(), tokens.clone(), answer.clone());
            Request::Answer { who, tokens, answer, reply }
        })
        .await
    }

    /// Hands out no more events, and stores progress. Consumers are disconnected.
    pub async fn close(&self) {
        let drivers = self.drivers().take();
        for turn in drivers.into_iter().flat_map(HashMap::into_values) {
            end(&turn, Ended::Closed).await;
        }
    }

    /// Ends the driver of a group, if it is in this process. Others find out by themselves, but who
    /// connects here next is not to meet the one that ends.
    async fn stop(&self, id: &GroupId, why: Ended) {
        let turn = self.drivers().as_ref().and_then(|drivers| drivers.get(id).cloned());
        if let Some(turn) = turn {
            end(&turn, why).await;
        }
    }

    fn drivers(&self) -> MutexGuard<'_, Option<Drivers>> {
        self.0.drivers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A way to the driver of a group, which is started if there is none.
    async fn requests(&self, id: &GroupId) -> Result<mpsc::Sender<Request>, GroupError> {
        let turn = match &mut *self.drivers() {
            Some(drivers) => drivers.entry(id.clone()).or_default().clone(),
            None => return Err(GroupError::Ended { group: id.clone(), why: Ended::Closed }),
        };
        let mut handle = turn.lock().await;
        if let Some(Handle { requests, .. }) = &*handle
            && !requests.is_closed()
        {
            return Ok(requests.clone());
        }
        if let Some(Handle { task, .. }) = handle.take() {
            // It still stores its progress; whether it panicked makes no difference.
            drop(task.await);
        }
        let started = driver::start(self.ledger(), id).await?;
        Ok(handle.insert(started).requests.clone())
    }

    /// A way to the driver of a group, if there is one.
    pub(crate) async fn driver(&self, id: &GroupId) -> Option<mpsc::Sender<Request>> {
        let turn = self.drivers().as_ref()?.get(id).cloned()?;
        let handle = turn.lock().await;
        let requests = &handle.as_ref()?.requests;
        (!requests.is_closed()).then(|| requests.clone())
    }

    async fn tried<T>(
        &self,
        id: &GroupId,
        request: impl Fn(oneshot::Sender<T>) -> Request,
    ) -> Result<T, GroupError> {
        for _ in 0..TRIES_MAX {
            let requests = self.requests(id).await?;
            if let Some(answer) = ask(&requests, &request).await {
                return Ok(answer);
            }
        }
        Err(self.ended(id))
    }

    fn ended(&self, id: &GroupId) -> GroupError {
        GroupError::Ended { group: id.clone(), why: Ended::Failed }
    }

    /// Writes a fact that follows from those that are there, if one does.
    pub(crate) async fn decide(
        &self,
        id: &GroupId,
        mut fact: impl FnMut(&Facts) -> Result<Option<Fact>, GroupError>,
    ) -> Result<(), GroupError> {
        loop {
            let facts = Facts::load(self.ledger(), id.stream()).await?;
            let Some(event) = fact(&facts)?.map(|fact| fact.event()) else { return Ok(()) };
            let expected = Expected::Exact(facts.version);
            match self.ledger().append(id.stream(), expected, vec![event]).await {
                Ok(_) => return Ok(()),
                Err(AppendError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Looks up the end, and refuses what the source does not know.
    async fn start_of(&self, id: &GroupId, start: Start) -> Result<Start, GroupError> {
        Ok(match (start, id.source()) {
            (Start::End, Source::Stream(stream)) => {
                Start::AfterVersion(self.ledger().stream_version(stream).await?)
            }
            (Start::End, _) => Start::AfterPosition(self.ledger().head().await?),
            (Start::AfterVersion(_), Source::All | Source::Category(_))
            | (Start::AfterPosition(_), Source::Stream(_)) => {
                return Err(SettingsError::Start.into());
            }
            // Nobody knows yet what is after the end.
            (Start::AfterPosition(position), _) => {
                Start::AfterPosition(position.min(self.ledger().head().await?))
            }
            (Start::Beginning | Start::AfterVersion(_), _) => start,
        })
    }
}

async fn end(turn: &Turn<Option<Handle>>, why: Ended) {
    if let Some(Handle { requests, task }) = turn.lock().await.take() {
        // One that has ended by itself is not there to hear it.
        drop(requests.send(Request::Close(why)).await);
        drop(task.await);
    }
}

/// Asks a driver; none if it ended before it answered.
pub(crate) async fn ask<T>(
    requests: &mpsc::Sender<Request>,
    request: impl FnOnce(oneshot::Sender<T>) -> Request,
) -> Option<T> {
    let (reply, answer) = oneshot::channel();
    requests.send(request(reply)).await.ok()?;
    answer.await.ok()
}
