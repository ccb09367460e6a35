//! How much clients may have under way at once, all together: bytes that they sent and that are not
//! done with, and calls with many answers.

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use std::{
    error::Error,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep, timeout},
};
use tonic::Status;

/// Most bytes that clients sent and that are not done with.
pub const MESSAGES_BYTES_MAX: usize = 256 << 20;
/// Most calls with many answers at once.
pub const CALLS_MAX: usize = 1_024;
/// How long the rest of what was begun may take, unless it is said.
const PATIENCE: Duration = Duration::from_mins(1);

/// The room that all calls share, and for how long one may take it up with what is not whole.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    bytes: Arc<Semaphore>,
    calls: Arc<Semaphore>,
    patience: Duration,
}

/// Room that is taken up.
pub(crate) type Taken = OwnedSemaphorePermit;

impl Room {
    pub(crate) fn new() -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(MESSAGES_BYTES_MAX)),
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
            patience: PATIENCE,
        }
    }

    /// The same room, taken up for no longer than this by what is not whole.
    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Room for a call with many answers.
    pub(crate) fn call(&self) -> Result<Taken, Status> {
        let room = self.calls.clone().try_acquire_owned();
        room.map_err(|_| Status::resource_exhausted("too many calls at once"))
    }

    /// Room for bytes; waits for it.
    pub(crate) async fn bytes(&self, bytes: usize) -> Result<Taken, Status> {
        let room = self.bytes.clone().acquire_many_owned(wide(bytes));
        let room = timeout(self.patience, room).await.map_err(|_| too_much())?;
        Ok(room.expect("the semaphore is never closed"))
    }

    /// Waits for the rest of what was begun, not for ever.
    pub(crate) async fn rest<T>(&self, coming: impl Future<Output = T>) -> Result<T, Status> {
        timeout(self.patience, coming).await.map_err(|_| late())
    }
}

fn wide(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn too_much() -> Status {
    Status::resource_exhausted("too much is sent at once")
}

fn late() -> Status {
    Status::deadline_exceeded("the rest did not come in time")
}

/// What one call was sent and is not done with. Clones are the same.
#[derive(Clone)]
pub(crate) struct Load {
    room: Room,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    taken: Option<Taken>,
    /// How often something of it was done with.
    done: u64,
}

impl Load {
    pub(crate) fn new(room: Room) -> Self {
        Self { room, held: Arc::default() }
    }

    fn add(&self, bytes: usize) -> Result<(), Status> {
        let more = self.room.bytes.clone().try_acquire_many_owned(wide(bytes));
        let more = more.map_err(|_| too_much())?;
        match &mut self.held().taken {
            Some(taken) => taken.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }

    /// Gives back the room of bytes that are done with.
    pub(crate) fn release(&self, bytes: usize) {
        let mut held = self.held();
        held.done += 1;
        if let Some(taken) = &mut held.taken {
            let bytes = bytes.min(taken.num_permits());
            drop(taken.split(bytes));
        }
    }

    /// How often something was done with, if there is more to be.
    fn begun(&self) -> Option<u64> {
        let held = self.held();
        held.taken.as_ref().filter(|taken| taken.num_permits() > 0).map(|_| held.done)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a request, whose bytes take up room. What was begun has to come in time.
pub(crate) struct Weighed<B> {
    body: Pin<Box<B>>,
    load: Load,
    /// Until when the rest of what was begun has to be there, and what had been done before.
    end: Option<(u64, Pin<Box<Sleep>>)>,
}

impl<B> Weighed<B> {
    pub(crate) fn new(body: B, load: Load) -> Self {
        Self { body: Box::pin(body), load, end: None }
    }

    /// Ready when the rest of what was begun comes too late.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(begun) = self.load.begun() else {
            self.end = None;
            return Poll::Pending;
        };
        let known = self.end.take().filter(|(known, _)| *known == begun);
        let anew = || (begun, Box::pin(sleep(self.load.room.patience)));
        let known = known.unwrap_or_else(anew);
        let (_, end) = self.end.insert(known);
        end.as_mut().poll(cx)
    }
}

impl<B: Body<Error: Into<Box<dyn Error + Send + Sync>>>> Body for Weighed<B> {
    type Data = B::Data;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, Self::Error>>> {
        match self.body.as_mut().poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let added = frame.data_ref().map_or(Ok(()), |it| self.load.add(it.remaining()));
                Poll::Ready(Some(added.map(|()| frame).map_err(Into::into)))
            }
            Poll::Ready(ended) => Poll::Ready(ended.map(|frame| frame.map_err(Into::into))),
            Poll::Pending => self.wait(cx).map(|()| Some(Err(late().into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_calls_are_sent_takes_up_room_until_it_is_done_with() {
        let room = Room::new();
        let (one, other) = (Load::new(room.clone()), Load::new(room.clone()));
        one.add(MESSAGES_BYTES_MAX - 10).unwrap();
        assert_eq!((one.begun(), other.begun()), (Some(0), None));
        other.add(10).unwrap();
        assert_eq!(other.add(1).unwrap_err().code(), tonic::Code::ResourceExhausted);
        one.release(5);
        assert_eq!(one.begun(), Some(1));
        other.add(5).unwrap();
        // No more is given back than was taken.
        other.release(100);
        assert_eq!((other.begun(), room.bytes.available_permits()), (None, 15));
        drop(one);
        assert_eq!(room.bytes.available_permits(), MESSAGES_BYTES_MAX);
    }

    #[test]
    fn only_so_many_calls_have_many_answers_at_once() {
        let room = Room::new();
        let all: Vec<Taken> = (0..CALLS_MAX).map(|_| room.call().unwrap()).collect();
        assert!(room.call().is_err());
        drop(all);
        assert!(room.call().is_ok());
    }
}
