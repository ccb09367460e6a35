//! Reads that end: of a stream or of `$all`, forwards or backwards. A page is read when its events can
//! be sent, so that a slow reader holds up nobody.

use crate::{
    ask::{Ask, Extent, Of, Start},
    calls::Answers,
    expected::{self, identifier},
    filter::EventFilter,
    following,
    keeping::Kept,
    links::Sender,
    rights::{Act, Caller, On},
    status,
    wire::streams::{Content, ReadReq, ReadResp, StreamNotFound},
};
use fairway_ledger::{
    Event, From, Ledger, Pace, Position, Read, Scope, Standing, StreamName, StreamState, Version,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tonic::Status;

/// Most events of a page.
pub(crate) const PAGE: usize = 500;

/// Answers a read, or begins a subscription.
pub(crate) async fn read(
    ledger: Ledger,
    caller: Caller,
    request: ReadReq,
) -> Result<Answers<ReadResp>, Status> {
    let Ask { of, extent, shape } = Ask::parse(request)?;
    match &of {
        Of::Stream(name, _) => caller.may_read(name)?,
        Of::All(..) => caller.may(Act::Read, On::All)?,
    }
    let sender = Sender { ledger, caller, shape };
    match extent {
        Extent::Following => following::follow(sender, of).await,
        Extent::Forwards(limit) => page_through(sender, of, (Direction::Forwards, limit)).await,
        Extent::Backwards(limit) => page_through(sender, of, (Direction::Backwards, limit)).await,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forwards,
    Backwards,
}

async fn page_through(
    sender: Sender,
    of: Of,
    (direction, limit): (Direction, u64),
) -> Result<Answers<ReadResp>, Status> {
    let ledger = &sender.ledger;
    // What comes after this began is not part of it, or it might never end.
    let as_of = ledger.head().await.map_err(|error| status::ledger(&error))?;
    let (scope, choice) = match of {
        Of::All(start, filter) => (Scope::All(all_from(start, direction)), Choice::Filter(filter)),
        Of::Stream(name, start) => match state(ledger, &name).await? {
            None => return Ok(not_found(&name)),
            Some(state) => {
                let kept = Kept::of(ledger, &state).await?;
                let from = stream_from(start, direction, kept);
                (Scope::Stream(name, from), Choice::Kept(kept))
            }
        },
    };
    let read = Read { scope, as_of, limit: PAGE };
    let reading = Reading { sender, read, choice, pace: Pace::default(), left: limit };
    let pages = stream::try_unfold(reading, Reading::page);
    let events = pages.map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten();
    Ok(events.boxed())
}

/// What is known of a stream that can be read; none if it is not there.
pub(crate) async fn state(
    ledger: &Ledger,
    name: &StreamName,
) -> Result<Option<StreamState>, Status> {
    let known =
        async |name: &StreamName| ledger.stream(name).await.map_err(|error| status::ledger(&error));
    let state = known(name).await?;
    let about = match name.is_about() {
        Some(about) => known(&about).await?.standing,
        None => state.standing,
    };
    match (about, state.exists()) {
        (Standing::Tombstoned, _) => Err(status::stream_deleted(name)),
        (_, true) => Ok(Some(state)),
        (_, false) => Ok(None),
    }
}

fn not_found(name: &StreamName) -> Answers<ReadResp> {
    let not_found = StreamNotFound { stream_identifier: Some(identifier(name)) };
    let answer = ReadResp { content: Some(Content::StreamNotFound(not_found)) };
    stream::iter([Ok(answer)]).boxed()
}

/// Forwards the event at a position is part of the read, backwards it is not.
fn all_from(start: Start<Position>, direction: Direction) -> From<Position> {
    match (direction, start) {
        (Direction::Forwards, Start::First) => From::After(Position(0)),
        (Direction::Forwards, Start::At(at)) => From::After(Position(at.0.saturating_sub(1))),
        (Direction::Forwards, Start::Last) => From::After(Position::END),
        (Direction::Backwards, Start::First) => From::Before(Position(0)),
        (Direction::Backwards, Start::At(at)) => From::Before(at),
        (Direction::Backwards, Start::Last) => From::Before(Position::END),
    }
}

/// The event with a revision is part of the read in both directions.
fn stream_from(start: Start<u64>, direction: Direction, kept: Kept) -> From<Version> {
    let version = match start {
        Start::First => Version(1),
        Start::At(revision) => expected::version(revision),
        Start::Last => Version::END,
    };
    match direction {
        Direction::Forwards => From::After(Version(version.0 - 1).max(kept.after)),
        Direction::Backwards => From::Before(Version(version.0 + 1).min(Version::END)),
    }
}

/// Which events of a page are sent.
enum Choice {
    Kept(Kept),
    Filter(Option<EventFilter>),
}

impl Choice {
    fn takes(&self, event: &Event) -> Result<bool, Status> {
        match self {
            Self::Kept(kept) => Ok(kept.keeps(event)),
            Self::Filter(None) => Ok(true),
            Self::Filter(Some(filter)) => filter.passes(event),
        }
    }
}

struct Reading {
    sender: Sender,
    read: Read,
    choice: Choice,
    pace: Pace,
    /// How many events may still be sent.
    left: u64,
}

impl Reading {
    /// The next page, and what is to be read after it.
    async fn page(mut self) -> Result<Option<(Vec<ReadResp>, Self)>, Status> {
        if self.left == 0 {
            return Ok(None);
        }
        let is_filtered = matches!(self.choice, Choice::Filter(Some(_)));
        let page = PAGE.min(self.pace.events());
        let left = usize::try_from(self.left).unwrap_or(page);
        let limit = if is_filtered { page } else { page.min(left) };
        let read = Read { limit, ..self.read.clone() };
        let events = self.sender.ledger.read(read).await.map_err(|error| status::ledger(&error))?;
        let Some(last) = events.last() else { return Ok(None) };
        advance(&mut self.read.scope, last);
        self.pace.seen(&events);
        let mut answers = Vec::with_capacity(events.len());
        for event in events {
            let is_wanted = self.left > 0 && self.sender.caller.may_see(&event);
            if is_wanted && self.choice.takes(&event)? {
                self.left -= 1;
                answers.push(self.sender.content(event).await?);
            }
        }
        Ok(Some((answers, self)))
    }
}

/// Moves the beginning of a read to an event.
pub(crate) fn advance(scope: &mut Scope, to: &Event) {
    match scope {
        Scope::All(from) | Scope::Category(_, from) => match from {
            From::After(at) | From::Before(at) => *at = to.position,
        },
        Scope::Stream(_, from) => match from {
            From::After(at) | From::Before(at) => *at = to.version,
        },
    }
}
