//! The step of a group: what happens, and what is to be done about it.

use crate::{
    decide::{
        entry::{Entry, Mark, Taken},
        fate::Again,
        group::Group,
        member::{Demand, Member, MemberId},
        progress::Progress,
    },
    facts::Fact,
};
use fairway_ledger::{Position, Version};
use fairway_model::Timestamp;

const LEFT: &str = "its consumer disconnected";

/// What happens to a group.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// The next events of the source that pass the filter, and up to where it was read for them.
    Taken { events: Vec<Taken>, to: Mark },
    /// Events that were asked for by [`Action::Load`]; those of them that are no more are missing.
    Loaded(Vec<Taken>),
    /// A consumer comes.
    Joined { member: MemberId, credit: u32, demand: Demand },
    /// A consumer goes.
    Left(MemberId),
    /// A consumer asks for so many events from now on, no longer for what it asked before.
    Asked { member: MemberId, count: u32 },
    /// A consumer is done with events.
    Acked { member: MemberId, positions: Vec<Position> },
    /// A consumer is not done with events.
    Nacked { member: MemberId, positions: Vec<Position>, verdict: Verdict, reason: String },
    /// A consumer is at work with events and needs longer.
    Extended { member: MemberId, positions: Vec<Position> },
    /// The group's stream has facts. What follows from them is decided when all are taken in, as
    /// some of them may say that already.
    Facts(Vec<(Version, Fact)>),
    /// Progress up to a checkpoint is stored.
    Saved(Mark),
    /// Time passes.
    Tick,
}

/// What becomes of an event that a consumer is not done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Retry,
    Park,
    Skip,
    /// It never was with the consumer, so that it has not failed.
    GiveBack,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Give a consumer an event, for the nth time.
    Deliver { member: MemberId, position: Position, attempt: u32 },
    /// Forget a consumer that was not heard of for long.
    Dismiss(MemberId),
    /// Write a fact into the group's stream.
    Record(Fact),
    /// Read events by their positions, in order.
    Load(Vec<Position>),
    /// Hold an event in memory no longer.
    Forget(Position),
    /// Store progress.
    Save(Progress),
}

impl Group {
    /// Decides. `now` never goes back.
    pub(crate) fn step(&mut self, input: Input, now: Timestamp) -> Vec<Action> {
        self.now = now;
        self.take_in(input);
        self.expire();
        self.clear_lanes();
        self.fetch();
        self.assign();
        self.save();
        std::mem::take(&mut self.actions)
    }

    fn take_in(&mut self, input: Input) {
        match input {
            Input::Taken { events, to } => self.take(events, to),
            Input::Loaded(events) => self.load(events),
            Input::Joined { member, credit, demand } => {
                self.members.join(member, (credit, demand), self.now);
            }
            Input::Left(member) => self.leave_group(member),
            Input::Asked { member, count } => {
                if let Some(member) = self.hear(member) {
                    member.demand = Demand::Asked(count);
                }
            }
            Input::Acked { member, positions } => self.ack(member, positions),
            Input::Nacked { member, positions, verdict, reason } => {
                self.hear(member);
                for position in positions {
                    if self.holds(member, position) {
                        self.refuse(position, verdict, &reason);
                    }
                }
            }
            Input::Extended { member, positions } => {
                self.hear(member);
                for position in positions {
                    if self.holds(member, position) {
                        self.extend(position);
                    }
                }
            }
            Input::Facts(facts) => {
                for (version, fact) in facts {
                    self.learn(version, fact);
                }
            }
            Input::Saved(checkpoint) => {
                self.saving.is_under_way = false;
                self.saving.checkpoint = checkpoint;
            }
            Input::Tick => {}
        }
    }

    fn hear(&mut self, member: MemberId) -> Option<&mut Member> {
        let now = self.now;
        let member = self.members.get_mut(member)?;
        member.seen = now;
        Some(member)
    }

    fn take(&mut self, events: Vec<Taken>, to: Mark) {
        for event in events {
            let position = event.at.position;
            // What is parked or skipped already is not taken again after a crash.
            let is_passed = self.passed.remove(&position) || self.parked.contains_key(&position);
            if is_passed || position <= self.taken.position {
                self.actions.push(Action::Forget(position));
            } else {
                self.insert(Entry::read(event));
            }
        }
        self.passed = self.passed.split_off(&Position(to.position.0 + 1));
        self.taken = to;
        self.move_checkpoint();
    }

    fn load(&mut self, events: Vec<Taken>) {
        self.is_loading = false;
        let asked = std::mem::take(&mut self.asked);
        for event in events {
            self.fill(event);
        }
        for position in asked {
            // Whoever truncated its stream has finished the event.
            if self.absent.contains(&position) {
                self.finish(position);
            }
        }
    }

    fn ack(&mut self, member: MemberId, positions: Vec<Position>) {
        self.hear(member);
        for position in positions {
            if self.holds(member, position) {
                self.counters.acked += 1;
                if let Some(member) = self.members.get_mut(member) {
                    member.acked += 1;
                }
                self.finish(position);
            }
        }
    }

    fn leave_group(&mut self, member: MemberId) {
        let held = self.members.get(member).map(|member| member.in_flight.clone());
        for position in held.into_iter().flatten() {
            self.fail(position, LEFT, Again::AtOnce);
        }
        self.members.leave(member);
    }
}
