//! `BatchAppend`: appends one after the other over one call, each in parts that say to which they
//! belong. Answers come in the order of the last parts.

use crate::{
    append,
    batch_outcome::Outcome,
    calls::Answers,
    expected, proposed,
    rights::Caller,
    room::{Room, Taken},
    status,
    wire::{
        shared::{ProposedMessage, Seconds, Uuid},
        streams::{BatchAppendReq, BatchAppendResp, BatchDeadline, BatchOptions},
    },
};
use fairway_ledger::{
    Append, BATCH_BYTES_MAX, BATCH_EVENTS_MAX, Expected, Ledger, NewEvent, StreamName,
};
use fairway_model::Timestamp;
use futures_util::{StreamExt, TryStreamExt, stream};
use prost::Message;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Status, Streaming};

/// Most appends of one call whose parts are not all there.
const UNFINISHED_MAX: usize = 32;
/// Most appends of one call that are under way.
const UNDER_WAY_MAX: usize = 64;
/// Most bytes of appends of one call that are under way.
const UNDER_WAY_BYTES_MAX: usize = 2 * BATCH_BYTES_MAX;

/// Appends of one call. What is wrong with one is in its answer; the call goes on.
#[expect(clippy::unused_async, reason = "all calls are futures")]
pub(crate) async fn appends(
    (ledger, room): (Ledger, Room),
    caller: Caller,
    messages: Streaming<BatchAppendReq>,
) -> Result<Answers<BatchAppendResp>, Status> {
    let own = Arc::new(Semaphore::new(UNDER_WAY_BYTES_MAX));
    let unfinished = Unfinished { caller, room, batches: HashMap::new(), bytes: 0 };
    let whole =
        stream::try_unfold((messages, unfinished), |(mut messages, mut unfinished)| async move {
            while let Some(message) = unfinished.next(&mut messages).await? {
                if let Some(batch) = unfinished.take(message).await? {
                    return Ok(Some((batch, (messages, unfinished))));
                }
            }
            Ok(None)
        });
    let admitted = whole.and_then(move |batch| admit(own.clone(), batch));
    let answers = admitted.map_ok(move |(batch, permit)| perform(ledger.clone(), batch, permit));
    Ok(answers.try_buffered(UNDER_WAY_MAX).boxed())
}

/// Waits until the call may have the batch under way besides those before it.
async fn admit(own: Arc<Semaphore>, batch: Batch) -> Result<(Batch, OwnedSemaphorePermit), Status> {
    let bytes = u32::try_from(batch.bytes).expect("a batch has less than 4 GiB");
    let permit = own.acquire_many_owned(bytes).await.expect("the semaphore is never closed");
    Ok((batch, permit))
}

/// One append, as far as its parts are there.
struct Batch {
    id: Option<Uuid>,
    stream: StreamName,
    expected: Expected,
    deadline: Option<BatchDeadline>,
    events: Result<Vec<NewEvent>, Status>,
    bytes: usize,
    /// The room that it takes up of that of all calls.
    taken: Option<Taken>,
}

impl Batch {
    fn start(id: Option<Uuid>, options: BatchOptions, caller: &Caller) -> Result<Self, Status> {
        let stream = expected::stream_name(options.stream_identifier)?;
        Ok(Self {
            id,
            events: caller.may_append(&stream).map(|()| Vec::new()),
            stream,
            expected: expected::expected(options.expected),
            deadline: options.deadline,
            bytes: 0,
            taken: None,
        })
    }

    /// Adds events, unless something is wrong already.
    fn add(&mut self, messages: Vec<ProposedMessage>) {
        let Ok(events) = &mut self.events else { return };
        for message in messages {
            match proposed::event(message, &self.stream) {
                Ok(event) => {
                    self.bytes += event.bytes();
                    events.push(event);
                }
                Err(wrong) => return self.fail(wrong),
            }
        }
        if self.bytes > BATCH_BYTES_MAX || events.len() > BATCH_EVENTS_MAX {
            self.fail(status::too_large(BATCH_BYTES_MAX));
        }
    }

    fn fail(&mut self, wrong: Status) {
        self.events = Err(wrong);
        self.bytes = 0;
        self.taken = None;
    }

    fn hold(&mut self, more: Taken) {
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            none => *none = Some(more),
        }
    }
}

/// Appends of which parts are missing.
struct Unfinished {
    caller: Caller,
    room: Room,
    batches: HashMap<Vec<u8>, Batch>,
    bytes: usize,
}

impl Unfinished {
    /// The next part, which has to come in time while the rest of an append is missing.
    async fn next(
        &self,
        messages: &mut Streaming<BatchAppendReq>,
    ) -> Result<Option<BatchAppendReq>, Status> {
        if self.batches.is_empty() {
            return messages.message().await;
        }
        self.room.rest(messages.message()).await?
    }

    /// Takes a part; gives the append whose last part it is.
    async fn take(&mut self, message: BatchAppendReq) -> Result<Option<Batch>, Status> {
        let taken = self.room.bytes(message.encoded_len()).await?;
        let BatchAppendReq { correlation_id, options, proposed_messages, is_final } = message;
        let key = correlation_id.as_ref().map(Message::encode_to_vec).unwrap_or_default();
        let mut batch = match (self.batches.remove(&key), options) {
            (Some(batch), _) => batch,
            (None, Some(options)) => Batch::start(correlation_id, options, &self.caller)?,
            (None, None) => {
                return Err(status::invalid("the first part of a batch has the options"));
            }
        };
        self.bytes -= batch.bytes;
        batch.hold(taken);
        batch.add(proposed_messages);
        if is_final {
            return Ok(Some(batch));
        }
        self.bytes += batch.bytes;
        if self.bytes > UNDER_WAY_BYTES_MAX || self.batches.len() == UNFINISHED_MAX {
            return Err(Status::resource_exhausted("too many batches are not finished"));
        }
        self.batches.insert(key, batch);
        Ok(None)
    }
}

async fn perform(
    ledger: Ledger,
    batch: Batch,
    permit: OwnedSemaphorePermit,
) -> Result<BatchAppendResp, Status> {
    let Batch { id, stream, expected, deadline, events, taken, .. } = batch;
    let wait = remaining(deadline, ledger.clock().now());
    let outcome = match events {
        Ok(events) => {
            let append = Append { stream: stream.clone(), expected, events };
            match tokio::time::timeout(wait, append::write(&ledger, append)).await {
                Ok(Ok(appended)) => Outcome::Done(appended),
                Ok(Err(error)) => Outcome::Failed(error),
                Err(_) => Outcome::Late,
            }
        }
        Err(wrong) => Outcome::Refused(wrong),
    };
    drop((permit, taken));
    Ok(BatchAppendResp {
        correlation_id: id,
        result: Some(outcome.answer(&stream, expected)),
        stream_identifier: Some(expected::identifier(&stream)),
        expected: Some(expected.into()),
    })
}

/// How long an append may take; the longest wait there is if nothing is said.
fn remaining(deadline: Option<BatchDeadline>, Timestamp(now): Timestamp) -> Duration {
    let millis = |Seconds { seconds, nanos }| {
        let seconds = u64::try_from(seconds).unwrap_or(0);
        let millis = u64::try_from(nanos / 1_000_000).unwrap_or(0);
        seconds.saturating_mul(1000).saturating_add(millis)
    };
    match deadline {
        None => Duration::MAX,
        Some(BatchDeadline::In(duration)) => Duration::from_millis(millis(duration)),
        Some(BatchDeadline::At(moment)) => {
            Duration::from_millis(millis(moment).saturating_sub(now))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_moments_or_durations() {
        let now = Timestamp(10_000);
        let time = |seconds, nanos| Seconds { seconds, nanos };
        let at = |moment| remaining(Some(BatchDeadline::At(moment)), now);
        let within = |duration| remaining(Some(BatchDeadline::In(duration)), now);
        assert_eq!(at(time(12, 500_000_000)), Duration::from_millis(2_500));
        assert_eq!(at(time(9, 0)), Duration::ZERO);
        assert_eq!(within(time(1, 1_000_000)), Duration::from_millis(1_001));
        assert_eq!(within(time(-1, -5)), Duration::ZERO);
        assert!(within(time(i64::MAX, i32::MAX)) > Duration::from_hours(1_000_000));
        assert_eq!(remaining(None, now), Duration::MAX);
    }
}
