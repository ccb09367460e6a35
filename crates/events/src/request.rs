//! What the owner of a group is asked.

use crate::{
    consumer::{Delivery, Nack, Token},
    consumer_name::ConsumerName,
    decide::{MemberId, Progress},
    error::{Ended, GroupError},
    info::Live,
};
use std::sync::{Arc, OnceLock};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

/// What the owner of a group is asked. Each is answered, unless the owner ends before.
#[derive(Debug)]
pub(crate) enum Request {
    /// A consumer connects.
    Join {
        seat: Joining,
        /// Ends when the consumer is dropped.
        gone: oneshot::Receiver<()>,
        reply: oneshot::Sender<Result<MemberId, GroupError>>,
    },
    /// A consumer takes at most so many events; waits until a moment if there are none.
    Take { take: Taking, reply: oneshot::Sender<Result<Vec<Delivery>, GroupError>> },
    /// A consumer says what became of events. The reply names those that it does not have.
    Answer { who: Who, tokens: Vec<Token>, answer: Answer, reply: oneshot::Sender<Vec<Token>> },
    /// How is it?
    Look(oneshot::Sender<(Progress, Live)>),
    /// It is to end, for a reason that consumers are told.
    Close(Ended),
}

/// A consumer that connects.
#[derive(Debug)]
pub(crate) struct Joining {
    pub(crate) name: ConsumerName,
    pub(crate) credit: u32,
    pub(crate) deliveries: mpsc::Sender<Delivery>,
    pub(crate) ended: Arc<OnceLock<Ended>>,
}

/// A consumer that takes.
#[derive(Debug, Clone)]
pub(crate) struct Taking {
    pub(crate) name: ConsumerName,
    pub(crate) most: u32,
    pub(crate) until: Instant,
}

/// Which consumer.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    Member(MemberId),
    /// One that takes.
    Named(ConsumerName),
}

/// What became of events.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Ack,
    Nack(Nack, String),
    /// Nothing yet.
    Extend,
}
