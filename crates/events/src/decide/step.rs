//! The step of a group: what happens, and what is to be done about it.

use crate::{
    decide::{
        entry::{Entry, Mark, Status, Taken},
        group::{BUFFER_BYTES_MAX, Group, Saving},
        member::{Demand, Member, MemberId},
        progress::Progress,
    },
    facts::{Fact, Failure, PARKED_MAX, Replay, reason},
    key::Key,
};
use fairway_ledger::{Position, Version};
use fairway_model::Timestamp;
use std::{
    ops::Bound::{Excluded, Unbounded},
    time::Duration,
};

/// Most events that are read by their positions at once.
const LOAD_MAX: usize = 100;
/// How long an event waits at least that cannot be parked because too many are.
const PARK_AGAIN: Duration = Duration::from_secs(1);
const TIMED_OUT: &str = "it was not acknowledged in time";
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
    /// The group's stream has a fact.
    Fact { version: Version, fact: Fact },
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
            Input::Fact { version, fact } => self.learn(version, fact),
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
                self.members.get_mut(member).into_iter().for_each(|member| member.acked += 1);
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

    fn refuse(&mut self, position: Position, verdict: Verdict, text: &str) {
        match verdict {
            Verdict::Retry => self.fail(position, text, Again::Later),
            Verdict::Park => self.park(position, text),
            Verdict::Skip => {
                let fact = Fact::Skipped { position, reason: reason(text) };
                self.set(position, Status::Recording);
                self.actions.push(Action::Record(fact));
            }
            Verdict::GiveBack => {
                if let Some(entry) = self.entries.get_mut(&position) {
                    entry.attempts -= 1;
                    self.counters.delivered -= 1;
                }
                self.set(position, Status::Ready);
            }
        }
    }

    /// An event that was handed out is not finished.
    fn fail(&mut self, position: Position, text: &str, again: Again) {
        let Some(entry) = self.entries.get_mut(&position) else { return };
        if entry.attempts > self.settings.retries_max {
            return self.park(position, text);
        }
        entry.reason = reason(text);
        self.counters.retried += 1;
        let wait = self.settings.backoff.wait(entry.attempts);
        let status = match again {
            Again::Later if !wait.is_zero() => Status::Waiting { until: self.now.plus(wait) },
            Again::Later | Again::AtOnce => Status::Ready,
        };
        self.set(position, status);
    }

    fn park(&mut self, position: Position, text: &str) {
        let Some(entry) = self.entries.get_mut(&position) else { return };
        entry.reason = reason(text);
        let Some(event) = entry.event.clone() else { return };
        if self.parked.len() + self.recording >= PARKED_MAX {
            // There is no room: it is tried again, which may as well succeed.
            let until = self.now.plus(self.settings.backoff.max.max(PARK_AGAIN));
            return self.set(position, Status::Waiting { until });
        }
        let failure = Failure {
            position,
            version: event.at.version,
            stream: event.stream,
            id: event.id,
            key: event.key.map(|key| key.0),
            attempts: entry.attempts,
            reason: entry.reason.clone(),
        };
        self.set(position, Status::Recording);
        self.actions.push(Action::Record(Fact::Parked(failure)));
    }

    fn learn(&mut self, version: Version, fact: Fact) {
        self.facts = version;
        // What is only about progress does not make progress.
        self.saving.unsaved += u32::from(!matches!(fact, Fact::Progressed { .. }));
        match fact {
            Fact::Parked(Failure { position, key, .. }) => {
                self.counters.parked += 1;
                self.note_parked(position, key.map(Key));
                self.pass(position);
            }
            Fact::Skipped { position, .. } => {
                self.counters.skipped += 1;
                self.free_parked(position);
                self.pass(position);
            }
            Fact::Replayed { events } => {
                for event in events {
                    self.replay(event);
                }
            }
            // What these say is known from the start, or ends this state.
            Fact::Created { .. }
            | Fact::Updated { .. }
            | Fact::Removed
            | Fact::Progressed { .. } => {}
        }
    }

    fn replay(&mut self, Replay { position, version, key }: Replay) {
        self.free_parked(position);
        self.counters.replayed += 1;
        if position > self.taken.position {
            self.passed.remove(&position);
        } else if !self.entries.contains_key(&position) {
            self.insert(Entry::absent(Mark { position, version }, key.map(Key), 0));
        }
    }

    fn finish(&mut self, position: Position) {
        if self.remove(position).is_some() {
            self.saving.unsaved = self.saving.unsaved.saturating_add(1);
            self.saving.is_news = true;
            self.actions.push(Action::Forget(position));
        }
    }

    /// Does what is due by now.
    fn expire(&mut self) {
        while let Some(&(at, position)) = self.timers.first()
            && at <= self.now
        {
            if self.in_flight_of(position) {
                self.counters.timed_out += 1;
                self.fail(position, TIMED_OUT, Again::Later);
            } else {
                self.set(position, Status::Ready);
            }
        }
        if self.is_time_to_look() {
            let now = self.now;
            let idle = self.members.iter().filter(|(_, member)| member.is_idle(now));
            let idle: Vec<MemberId> = idle.map(|(&id, _)| id).collect();
            for member in idle {
                self.members.leave(member);
                self.actions.push(Action::Dismiss(member));
            }
        }
    }

    fn in_flight_of(&self, position: Position) -> bool {
        let status = self.entries.get(&position).map(|entry| entry.status);
        matches!(status, Some(Status::InFlight { .. }))
    }

    /// Asks for events that are to be read by their positions: the first ones first, so that none
    /// is handed out before an earlier one of its key is known.
    fn fetch(&mut self) {
        let is_full = self.fetched > 0 && self.bytes >= 2 * BUFFER_BYTES_MAX;
        let room = (self.settings.buffer as usize).saturating_sub(self.fetched).min(LOAD_MAX);
        if self.is_loading || self.absent.is_empty() || is_full || room == 0 {
            return;
        }
        self.asked = self.absent.iter().copied().take(room).collect();
        self.is_loading = true;
        self.actions.push(Action::Load(self.asked.clone()));
    }

    /// Hands out what is ready to who has room.
    fn assign(&mut self) {
        let mut after = Position(0);
        while self.in_flight < self.settings.in_flight_max as usize && self.members.have_room() {
            let mut rest = self.ready.range((Excluded(after), Unbounded));
            let Some(&position) = rest.next() else { return };
            after = position;
            let entry = self.entries.get_mut(&position).expect("what is ready is held");
            let pin = entry.event.as_ref().and_then(|event| event.pin);
            let Some(member) = self.members.choose(self.settings.strategy, pin) else { continue };
            entry.attempts += 1;
            let attempt = entry.attempts;
            let until = self.now.plus(self.settings.ack_timeout);
            self.counters.delivered += 1;
            self.set(position, Status::InFlight { member, until });
            self.actions.push(Action::Deliver { member, position, attempt });
        }
    }

    fn save(&mut self) {
        let Saving { unsaved, at, is_under_way, .. } = self.saving;
        let is_due = self.is_dirty() && at.plus(self.settings.save.after) <= self.now;
        if is_under_way || !(is_due || unsaved >= self.settings.save.max) {
            return;
        }
        self.saving = Saving { unsaved: 0, at: self.now, is_under_way: true, ..self.saving };
        let progress = self.progress();
        // That only others appended is no news, or two groups would have news for each other for ever.
        if self.saving.is_news && self.saving.recorded_at.plus(self.saving.record_every) <= self.now
        {
            (self.saving.is_news, self.saving.recorded_at) = (false, self.now);
            self.actions.push(Action::Record(Fact::Progressed { progress: progress.clone() }));
        }
        self.actions.push(Action::Save(progress));
    }

    /// An event is finished by a fact.
    fn pass(&mut self, position: Position) {
        if position > self.taken.position {
            self.passed.insert(position);
        } else {
            self.finish(position);
        }
    }
}

/// When an event that failed is ready for its next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    AtOnce,
    Later,
}
