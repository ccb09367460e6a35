//! How far a client's connection is, and until when it may take for the next step.
//!
//! One deadline per connection, moved by whoever makes progress and watched by one lazy timer, so a
//! request costs no timer of its own. Everything here is touched by the connection's task only; the
//! atomics are for the compiler.

use std::{
    sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// What a client's connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Between requests.
    Idle,
    /// A request's head has begun.
    Head,
    /// A request is being answered.
    Exchange,
    /// Its response is made, but not yet written out.
    Answered,
    /// The parser refused the request; nothing more will be read.
    Refused,
}

/// The phase and deadline of a client's connection.
#[derive(Debug)]
pub(crate) struct Progress {
    epoch: Instant,
    deadline: AtomicU64,
    is_late: AtomicBool,
    phase: AtomicU8,
}

impl Progress {
    pub(crate) fn new(epoch: Instant, first: Duration) -> Self {
        let (deadline, phase) = (AtomicU64::new(0), AtomicU8::new(0));
        let progress = Self { epoch, deadline, is_late: AtomicBool::new(false), phase };
        progress.allow(first);
        progress
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Relaxed) {
            0 => Phase::Idle,
            1 => Phase::Head,
            2 => Phase::Exchange,
            3 => Phase::Answered,
            _ => Phase::Refused,
        }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
    }

    /// Moves the deadline to so long from now.
    pub(crate) fn allow(&self, wait: Duration) {
        self.deadline.store(nanos(self.epoch.elapsed().saturating_add(wait)), Relaxed);
        self.is_late.store(false, Relaxed);
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.epoch + Duration::from_nanos(self.deadline.load(Relaxed))
    }

    /// Looks at the clock. Whoever waits for progress asks [`Self::is_late`], which costs nothing.
    pub(crate) fn check(&self) -> bool {
        let is_late = self.deadline() <= Instant::now();
        self.is_late.store(is_late, Relaxed);
        is_late
    }

    /// Whether the deadline was seen to pass.
    pub(crate) fn is_late(&self) -> bool {
        self.is_late.load(Relaxed)
    }
}

/// Durations beyond a century are cut, so that adding them to an instant cannot overflow.
fn nanos(duration: Duration) -> u64 {
    const CENTURY: u64 = 100 * 365 * 24 * 3600 * 1_000_000_000;
    u64::try_from(duration.as_nanos()).map_or(CENTURY, |nanos| nanos.min(CENTURY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_passes_only_when_nobody_moves_it() {
        let progress = Progress::new(Instant::now(), Duration::ZERO);
        assert!(!progress.is_late());
        assert!(progress.check() && progress.is_late());
        progress.allow(Duration::MAX);
        assert!(!progress.is_late() && !progress.check());
    }

    #[test]
    fn a_phase_survives_being_stored() {
        let progress = Progress::new(Instant::now(), Duration::ZERO);
        for phase in [Phase::Idle, Phase::Head, Phase::Exchange, Phase::Answered, Phase::Refused] {
            progress.enter(phase);
            assert_eq!(progress.phase(), phase);
        }
    }
}
