//! What is due at the end of every step.

use crate::{
    decide::{
        entry::Status,
        fate::Again,
        group::{BUFFER_BYTES_MAX, Group, Saving},
        member::MemberId,
        step::Action,
    },
    facts::Fact,
};
use fairway_ledger::Position;
use std::ops::Bound::{Excluded, Unbounded};

/// Most events that are read by their positions at once.
const LOAD_MAX: usize = 100;
const TIMED_OUT: &str = "it was not acknowledged in time";

impl Group {
    /// Does what is due by now.
    pub(super) fn expire(&mut self) {
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
    pub(super) fn fetch(&mut self) {
        if self.is_loading || self.absent.is_empty() {
            return;
        }
        let is_full = self.fetched > 0 && self.bytes >= 2 * BUFFER_BYTES_MAX;
        let most = if is_full { 0 } else { LOAD_MAX };
        let room = (self.settings.buffer as usize).saturating_sub(self.fetched).min(most);
        let room = if room == 0 && self.is_stuck() { 1 } else { room };
        if room == 0 {
            return;
        }
        self.asked = self.absent.iter().copied().take(room).collect();
        self.is_loading = true;
        self.actions.push(Action::Load(self.asked.clone()));
    }

    /// Whether nothing that is in memory can go on, so that it all waits for events of its keys that
    /// are to be read.
    fn is_stuck(&self) -> bool {
        let has_timers = !self.timers.is_empty();
        self.ready.is_empty() && self.in_flight == 0 && self.recording == 0 && !has_timers
    }

    /// Hands out what is ready to who has room.
    pub(super) fn assign(&mut self) {
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

    pub(super) fn save(&mut self) {
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
}
