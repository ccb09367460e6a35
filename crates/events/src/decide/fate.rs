//! What becomes of an event that was handed out.

use crate::{
    decide::{
        entry::{Entry, Mark, Status},
        group::Group,
        step::{Action, Verdict},
    },
    facts::{Fact, Failure, PARKED_MAX, Replay, reason},
    key::Key,
};
use fairway_ledger::{Position, Version};
use std::time::Duration;

/// How long an event waits at least that cannot be parked because too many are.
const PARK_AGAIN: Duration = Duration::from_secs(1);

/// When an event that failed is ready for its next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    AtOnce,
    Later,
}

/// Why an event is parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Failed,
    /// It waits for an earlier one of its key.
    Behind,
}

impl Group {
    pub(super) fn refuse(&mut self, position: Position, verdict: Verdict, text: &str) {
        match verdict {
            Verdict::Retry => self.fail(position, text, Again::Later),
            Verdict::Park => self.park(position, text, Cause::Failed),
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
    pub(super) fn fail(&mut self, position: Position, text: &str, again: Again) {
        let Some(entry) = self.entries.get_mut(&position) else { return };
        if entry.attempts > self.settings.retries_max {
            return self.park(position, text, Cause::Failed);
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

    pub(super) fn park(&mut self, position: Position, text: &str, cause: Cause) {
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
            is_behind: cause == Cause::Behind,
        };
        self.set(position, Status::Recording);
        self.actions.push(Action::Record(Fact::Parked(failure)));
    }

    pub(super) fn learn(&mut self, version: Version, fact: Fact) {
        self.facts = version;
        // What is only about progress does not make progress.
        self.saving.unsaved += u32::from(!matches!(fact, Fact::Progressed { .. }));
        match fact {
            Fact::Parked(failure) => {
                self.counters.parked += 1;
                self.shelve(failure.shelved());
                self.pass(failure.position);
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
        if let Some(key) = key {
            self.releasing.remove(&Key(key));
        }
        if position > self.taken.position {
            self.passed.remove(&position);
        } else if !self.entries.contains_key(&position) {
            self.insert(Entry::absent(Mark { position, version }, key.map(Key), 0));
        }
    }

    pub(super) fn finish(&mut self, position: Position) {
        if self.remove(position).is_some() {
            self.saving.unsaved = self.saving.unsaved.saturating_add(1);
            self.saving.is_news = true;
            self.actions.push(Action::Forget(position));
        }
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
