//! `Read`: a consumer of a group.

use crate::{
    ask::{Links, Shape},
    calls::Answers,
    filter::EventFilter,
    groups::{
        failure::failed,
        remembered::{Expression, Remembered},
        target,
    },
    links::Sender,
    proposed,
    recorded::Ids,
    rights::{Act, Caller},
    status,
    wire::{
        persistent::{Ack, Action, Content, Nack as WireNack, ReadEvent, ReadReq, ReadResp, Sent},
        shared::{SubscriptionConfirmation, Uuid},
        streams,
    },
};
use fairway_events::{
    Acks, Consumer, ConsumerName, Delivery, GroupError, Groups, Nack, Source, Token,
};
use fairway_ledger::Event;
use futures_util::{StreamExt, stream};
use std::sync::Arc;
use tokio::task::JoinSet;
use tonic::{Status, Streaming};

/// Events that a consumer has at once if it does not say how many.
const CREDIT: u32 = 10;
/// The name of a consumer whose client gives none.
const UNNAMED: &str = "kurrentdb-client";

/// Connects a consumer: events go to it while it says what became of those before.
pub(crate) async fn consume(
    groups: Groups,
    caller: Caller,
    mut messages: Streaming<ReadReq>,
) -> Result<Answers<ReadResp>, Status> {
    let first = messages.message().await?.and_then(|message| message.content);
    let Some(Sent::Options(options)) = first else {
        return Err(status::invalid("the first message of a consumer has the options"));
    };
    let id = target::group(options.stream, &options.group_name)?;
    caller.may_group(Act::Read, id.source())?;
    let settings = groups.settings(&id).await.map_err(|error| failed(&error))?;
    let Remembered { resolve_links, filter, .. } = Remembered::of(&settings, id.source());
    let filter = filter.map(Expression::filter).transpose()?;
    let credit = u32::try_from(options.buffer_size).ok().filter(|&size| size > 0);
    let consumer = groups.connect(&id, &consumer_name(&caller), credit.unwrap_or(CREDIT)).await;
    let consumer = consumer.map_err(|error| failed(&error))?;
    let links = if resolve_links { Links::Resolved } else { Links::Kept };
    let shape = Shape { ids: Ids::wanted(options.uuid_option), links };
    let mut listening = JoinSet::new();
    listening.spawn(listen(consumer.acks(), messages));
    let sender = Sender { ledger: groups.ledger().clone(), caller, shape };
    let consuming = Consuming { sender, source: id.source().clone(), consumer, filter, listening };
    let subscription_id = format!("{}::{}", id.source(), id.name());
    let confirmation =
        Content::SubscriptionConfirmation(SubscriptionConfirmation { subscription_id });
    let events = stream::try_unfold(consuming, Consuming::next);
    Ok(stream::iter([Ok(answer(confirmation))]).chain(events).boxed())
}

fn consumer_name(caller: &Caller) -> ConsumerName {
    let unnamed = || UNNAMED.parse().expect("a plain name");
    caller.connection_name().and_then(|name| name.parse().ok()).unwrap_or_else(unnamed)
}

/// Takes what a consumer says, until it says no more.
async fn listen(acks: Acks, mut messages: Streaming<ReadReq>) -> Result<(), Status> {
    while let Some(message) = messages.message().await? {
        match message.content {
            Some(Sent::Ack(Ack { ids })) => acks.ack(tokens(ids)?).await,
            Some(Sent::Nack(WireNack { ids, action, reason })) => {
                acks.nack(tokens(ids)?, nack(action), &reason).await
            }
            Some(Sent::Options(_)) | None => {
                return Err(status::invalid("a consumer has its options once"));
            }
        }
        .map_err(|error| failed(&error))?;
    }
    Ok(())
}

fn tokens(ids: Vec<Uuid>) -> Result<Vec<Token>, Status> {
    ids.into_iter().map(|id| proposed::event_id(id).map(Token::Id)).collect()
}

fn nack(action: i32) -> Nack {
    match Action::try_from(action) {
        Ok(Action::Park) => Nack::Park,
        Ok(Action::Skip) => Nack::Skip,
        Ok(Action::Stop) => Nack::Stop,
        Ok(Action::Unknown | Action::Retry) | Err(_) => Nack::Retry,
    }
}

struct Consuming {
    sender: Sender,
    source: Source,
    consumer: Consumer,
    filter: Option<EventFilter>,
    /// Listens to what the consumer says, for as long as this is.
    listening: JoinSet<Result<(), Status>>,
}

impl Consuming {
    /// The next event; none when the consumer says no more.
    async fn next(mut self) -> Result<Option<(ReadResp, Self)>, Status> {
        loop {
            let delivery = tokio::select! {
                delivery = self.consumer.next() => delivery.map_err(|error| failed(&error))?,
                Some(ended) = self.listening.join_next() => {
                    return match ended {
                        Ok(Err(wrong)) => Err(wrong),
                        Ok(Ok(())) => Ok(None),
                        Err(panicked) => Err(Status::internal(panicked.to_string())),
                    };
                }
            };
            self.sender.caller.may_group(Act::Read, &self.source)?;
            if self.is_wanted(&delivery.event)? {
                let event = self.event(delivery).await?;
                return Ok(Some((answer(Content::Event(event)), self)));
            }
            self.leave_out(&delivery).await.map_err(|error| failed(&error))?;
        }
    }

    fn is_wanted(&self, event: &Event) -> Result<bool, Status> {
        let passes = self.filter.as_ref().map_or(Ok(true), |filter| filter.passes(event));
        Ok(passes? && self.sender.caller.may_see(event))
    }

    /// Events that do not pass the filter, or may not be seen, are done.
    async fn leave_out(&self, delivery: &Delivery) -> Result<(), GroupError> {
        self.consumer.ack([delivery.token()]).await
    }

    async fn event(&self, delivery: Delivery) -> Result<ReadEvent, Status> {
        let retry_count = i32::try_from(delivery.retries()).unwrap_or(i32::MAX);
        let event = Arc::unwrap_or_clone(delivery.event);
        let streams::ReadEvent { event, link, commit_position } = self.sender.event(event).await?;
        Ok(ReadEvent { event, link, commit_position, retry_count: Some(retry_count) })
    }
}

fn answer(content: Content) -> ReadResp {
    ReadResp { content: Some(content) }
}
