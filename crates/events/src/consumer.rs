//! A consumer: events come to it, and it says what became of them.

use crate::{
    consumer_name::ConsumerName,
    decide::{MemberId, Verdict},
    error::{Ended, GroupError},
    group_id::GroupId,
    request::{Answer, Request, Who},
};
use fairway_ledger::{Event, EventId, Position};
use std::sync::{Arc, OnceLock};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

/// An event that a consumer has now. It has to say what became of it before the group's time-out.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The event.
    pub event: Arc<Event>,
    /// Which try this is, counted from 1.
    pub attempt: u32,
    /// When the consumer no longer has it.
    pub(crate) until: Instant,
}

impl Delivery {
    /// How often the event failed before.
    pub fn retries(&self) -> u32 {
        self.attempt - 1
    }

    /// What to name the event by.
    pub fn token(&self) -> Token {
        Token::Position(self.event.position)
    }
}

/// Names an event that a consumer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Token {
    /// By its position.
    Position(Position),
    /// By its id. If the consumer has several events with it, which clients can bring about, the
    /// first is meant.
    Id(EventId),
}

impl From<Position> for Token {
    fn from(position: Position) -> Self {
        Self::Position(position)
    }
}

impl From<EventId> for Token {
    fn from(id: EventId) -> Self {
        Self::Id(id)
    }
}

/// What is to become of an event that a consumer is not done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nack {
    /// It is handed out again after a wait, or parked if it was too often.
    Retry,
    /// It is parked.
    Park,
    /// It is not handed out again.
    Skip,
    /// As for a retry, and the consumer is disconnected.
    Stop,
}

impl Nack {
    pub(crate) fn verdict(self) -> Verdict {
        match self {
            Self::Retry | Self::Stop => Verdict::Retry,
            Self::Park => Verdict::Park,
            Self::Skip => Verdict::Skip,
        }
    }
}

/// A connection to a group. Dropped, it gives back at once what it has.
#[derive(Debug)]
pub struct Consumer {
    deliveries: mpsc::Receiver<Delivery>,
    acks: Acks,
    #[expect(dead_code, reason = "it is the dropping that is noticed")]
    here: oneshot::Sender<()>,
}

/// Says what became of events, also while [`Consumer::next`] is waited for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Acks {
    group: GroupId,
    name: ConsumerName,
    member: MemberId,
    requests: mpsc::Sender<Request>,
    ended: Arc<OnceLock<Ended>>,
}

impl Consumer {
    pub(crate) fn new(
        deliveries: mpsc::Receiver<Delivery>,
        acks: Acks,
        here: oneshot::Sender<()>,
    ) -> Self {
        Self { deliveries, acks, here }
    }

    /// Takes the next event; waits if there is none yet. Dropping a call loses nothing. An error
    /// means that the consumer is not connected any more.
    pub async fn next(&mut self) -> Result<Delivery, GroupError> {
        loop {
            let delivery = self.deliveries.recv().await;
            if let Some(&why) = self.acks.ended.get() {
                return Err(self.acks.error(why));
            }
            let delivery = delivery.ok_or_else(|| self.acks.error(Ended::Failed))?;
            // One that waited here for too long is somebody else's by now.
            if Instant::now() < delivery.until {
                return Ok(delivery);
            }
        }
    }

    /// Says that events are done. What was lost of this in a crash is handed out again.
    pub async fn ack<T: Into<Token>>(
        &self,
        events: impl IntoIterator<Item = T>,
    ) -> Result<(), GroupError> {
        self.acks.ack(events).await
    }

    /// Says that events are not done, and what is to become of them.
    pub async fn nack<T: Into<Token>>(
        &self,
        events: impl IntoIterator<Item = T>,
        nack: Nack,
        reason: &str,
    ) -> Result<(), GroupError> {
        self.acks.nack(events, nack, reason).await
    }

    /// The same as [`Acks::extend`].
    pub async fn extend<T: Into<Token>>(
        &self,
        events: impl IntoIterator<Item = T>,
    ) -> Result<(), GroupError> {
        self.acks.extend(events).await
    }

    /// For acknowledging elsewhere than events are taken.
    pub fn acks(&self) -> Acks {
        self.acks.clone()
    }
}

impl Acks {
    pub(crate) fn new(
        (group, name): (GroupId, ConsumerName),
        member: MemberId,
        requests: mpsc::Sender<Request>,
        ended: Arc<OnceLock<Ended>>,
    ) -> Self {
        Self { group, name, member, requests, ended }
    }

    /// The group.
    pub fn group(&self) -> &GroupId {
        &self.group
    }

    /// The name that the consumer connected with.
    pub fn name(&self) -> &ConsumerName {
        &self.name
    }

    /// The same as [`Consumer::ack`].
    pub async fn ack<T: Into<Token>>(
        &self,
        events: impl IntoIterator<Item = T>,
    ) -> Result<(), GroupError> {
        self.answer(events, Answer::Ack).await
    }

    /// The same as [`Consumer::nack`].
    pub async fn nack<T: Into<Token>>(
        &self,
        events: impl IntoIterator<Item = T>,
        nack: Nack,
        reason: &str,
    ) -> Result<(), GroupError> {
        self.answer(events, Answer::Nack(nack, reason.to_owned())).await
    }

    /// Says that the consumer is still at work with events: from now on it has as long for them as
    /// if it had just got them.
    pub async fn extend<T: Into<Token>>(
        &self,
        events: impl IntoIterator<Item = T>,
    ) -> Result<(), GroupError> {
        self.answer(events, Answer::Extend).await
    }

    async fn answer<T: Into<Token>>(
        &self,
        events: impl IntoIterator<Item = T>,
        answer: Answer,
    ) -> Result<(), GroupError> {
        let tokens = events.into_iter().map(Into::into).collect();
        let (reply, _) = oneshot::channel();
        let request = Request::Answer { who: Who::Member(self.member), tokens, answer, reply };
        let sent = self.requests.send(request).await;
        let why = || self.ended.get().copied().unwrap_or(Ended::Failed);
        sent.map_err(|_| self.error(why()))
    }

    fn error(&self, why: Ended) -> GroupError {
        GroupError::Ended { group: self.group.clone(), why }
    }
}
