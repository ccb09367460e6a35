//! Subscriptions: what is there after a place, a word that this was all, then what comes.

use crate::{
    ask::{Of, Start},
    calls::Answers,
    expected::{self, Revision},
    filter::EventFilter,
    links::Sender,
    reading::{self, PAGE},
    recorded,
    rights::{Act, On},
    status,
    wire::{
        shared::SubscriptionConfirmation,
        streams::{CaughtUp, Checkpoint, Content, ReadResp},
    },
};
use fairway_ledger::{Event, From, PAGE_BYTES_MAX, Pace, Position, Read, Scope, Version, Watch};
use futures_util::{StreamExt, TryStreamExt, stream};
use tonic::Status;

/// Follows a stream or `$all` for as long as somebody listens.
pub(crate) async fn follow(sender: Sender, of: Of) -> Result<Answers<ReadResp>, Status> {
    let watch = sender.ledger.store().watch().map_err(|error| status::ledger(&error))?;
    let (scope, filter) = begin(&sender, of).await?;
    let id = subscription_id(&sender, &scope);
    let confirmation = Content::Confirmation(SubscriptionConfirmation { subscription_id: id });
    let following = Following {
        sender,
        watch,
        scope,
        filter,
        looked_at: 0,
        pace: Pace::default(),
        is_up_to_date: false,
        phase: Phase::CatchingUp,
    };
    let pages = stream::try_unfold(following, Following::page);
    let contents = pages.map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten();
    Ok(stream::iter([Ok(answer(confirmation))]).chain(contents).boxed())
}

/// Where a follower begins: after a place, never at it.
async fn begin(sender: &Sender, of: Of) -> Result<(Scope, Option<EventFilter>), Status> {
    let ledger = &sender.ledger;
    Ok(match of {
        Of::All(start, filter) => {
            let after = match start {
                Start::First => Position(0),
                Start::At(at) => at,
                Start::Last => ledger.head().await.map_err(|error| status::ledger(&error))?,
            };
            (Scope::All(From::After(after)), filter)
        }
        Of::Stream(name, start) => {
            let state = reading::state(ledger, &name).await?;
            let after = match start {
                Start::First => Version(0),
                Start::At(revision) => expected::version(revision),
                Start::Last => state.map_or(Version(0), |state| state.version),
            };
            (Scope::Stream(name, From::After(after)), None)
        }
    })
}

/// Names a subscription, for logs of clients: what is followed, and from where.
fn subscription_id(sender: &Sender, scope: &Scope) -> String {
    match scope {
        Scope::Stream(name, From::After(at)) => format!("{}/{name}@{at}", sender.ledger.id().0),
        Scope::All(From::After(at)) => format!("{}/$all@{at}", sender.ledger.id().0),
        _ => sender.ledger.id().0.to_string(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    CatchingUp,
    Live,
}

struct Following {
    sender: Sender,
    watch: Box<dyn Watch>,
    scope: Scope,
    filter: Option<EventFilter>,
    /// How many events were looked at since the last checkpoint.
    looked_at: u64,
    pace: Pace,
    /// Whether there was nothing more at the last look.
    is_up_to_date: bool,
    phase: Phase,
}

impl Following {
    /// What is to be sent next; waits until there is something.
    async fn page(mut self) -> Result<Option<(Vec<ReadResp>, Self)>, Status> {
        loop {
            if self.is_up_to_date && self.phase == Phase::Live {
                self.watch.changed().await.map_err(|error| status::ledger(&error))?;
            }
            let events = self.look().await?;
            self.may_read()?;
            let contents = if !events.is_empty() {
                self.look_at(events).await?
            } else if self.phase == Phase::CatchingUp {
                self.phase = Phase::Live;
                self.caught_up()
            } else {
                continue;
            };
            if !contents.is_empty() {
                return Ok(Some((contents, self)));
            }
        }
    }

    /// The next events, if there are any.
    async fn look(&mut self) -> Result<Vec<Event>, Status> {
        let limit = PAGE.min(self.pace.events());
        let read = Read::new(self.scope.clone(), limit);
        let events = self.sender.ledger.read(read).await.map_err(|error| status::ledger(&error))?;
        let bytes: usize = events.iter().map(Event::bytes).sum();
        self.is_up_to_date = events.len() < limit && bytes < PAGE_BYTES_MAX;
        if !events.is_empty() {
            self.pace.seen(&events);
        }
        Ok(events)
    }

    /// A right holds for as long as somebody follows: it may be taken away, or expire.
    fn may_read(&self) -> Result<(), Status> {
        match &self.scope {
            Scope::Stream(name, _) => self.sender.caller.may_read(name),
            Scope::All(_) | Scope::Category(..) => self.sender.caller.may(Act::Read, On::All),
        }
    }

    async fn look_at(&mut self, events: Vec<Event>) -> Result<Vec<ReadResp>, Status> {
        let mut answers = Vec::with_capacity(events.len());
        for event in events {
            reading::advance(&mut self.scope, &event);
            let (mut is_wanted, mut is_due) = (self.sender.caller.may_see(&event), false);
            let position = event.position;
            if let Some(filter) = &self.filter {
                self.looked_at += 1;
                is_due = self.looked_at >= filter.interval;
                is_wanted &= filter.passes(&event)?;
            }
            if is_wanted {
                answers.push(self.sender.content(event).await?);
            }
            if is_due {
                answers.push(self.checkpoint(position));
            }
        }
        Ok(answers)
    }

    fn checkpoint(&mut self, position: Position) -> ReadResp {
        self.looked_at = 0;
        answer(Content::Checkpoint(Checkpoint {
            commit_position: position.0,
            prepare_position: position.0,
            timestamp: Some(recorded::moment(self.sender.ledger.clock().now())),
        }))
    }

    fn caught_up(&mut self) -> Vec<ReadResp> {
        let mut answers = Vec::new();
        let (revision, position) = match &self.scope {
            Scope::Stream(_, From::After(at) | From::Before(at)) => (Some(*at), None),
            Scope::All(From::After(at) | From::Before(at))
            | Scope::Category(_, From::After(at) | From::Before(at)) => (None, Some(*at)),
        };
        if let Some(position) = position.filter(|_| self.looked_at > 0) {
            answers.push(self.checkpoint(position));
        }
        answers.push(answer(Content::CaughtUp(CaughtUp {
            timestamp: Some(recorded::moment(self.sender.ledger.clock().now())),
            stream_revision: revision.map(|version| Revision::last_of(version).to_signed()),
            position: position.map(recorded::position),
        })));
        answers
    }
}

fn answer(content: Content) -> ReadResp {
    ReadResp { content: Some(content) }
}
