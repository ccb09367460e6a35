//! Consumers of groups: connecting, and taking events one answer at a time.

use crate::{
    consumer::{Acks, Consumer, Delivery, Nack, Token},
    consumer_name::ConsumerName,
    drivers::{TRIES_MAX, ask},
    error::{Ended, GroupError},
    group_id::GroupId,
    groups::Groups,
    request::{Answer, Joining, Request, Taking, Who},
};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

/// Shortest wait of [`Groups::take`]: a group that nobody used for a while looks for events first.
const TAKE_WAIT_MIN: Duration = Duration::from_millis(100);
/// Longest wait of [`Groups::take`].
pub const TAKE_WAIT_MAX: Duration = Duration::from_mins(5);

/// What a consumer that takes asks for.
#[derive(Debug, Clone)]
pub struct Take {
    /// Who takes. It has what it took until it says what became of it or the time-out.
    pub consumer: ConsumerName,
    /// At most so many events.
    pub most: u32,
    /// How long to wait if there are none: at least 100 ms, at most [`TAKE_WAIT_MAX`].
    pub wait: Duration,
}

impl Groups {
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
    /// none. Dropped before it returns, it has taken nothing, or what comes again after the time-out.
    pub async fn take(&self, id: &GroupId, take: Take) -> Result<Vec<Delivery>, GroupError> {
        let until = Instant::now() + take.wait.clamp(TAKE_WAIT_MIN, TAKE_WAIT_MAX);
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
}
