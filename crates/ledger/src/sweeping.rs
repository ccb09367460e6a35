//! Removing what is truncated: when whoever owns the writes of a ledger does it, and how much at
//! once, so that who appends waits for milliseconds only.

use crate::event::Version;
use std::time::{Duration, Instant};

/// Most streams that one piece of a sweep looks at.
pub const SWEEP_STREAMS_MAX: usize = 100;
/// Events of a piece of which it is not known how long they take.
pub const SWEEP_EVENTS: u64 = 500;
/// Most events that one piece removes.
const EVENTS_MAX: u64 = 2_000;
/// Pieces are not made smaller than this because they take long.
const EVENTS_MIN: u64 = 100;
/// The next piece is twice as large if one took less than this, and half as large if more than that.
const QUICK: Duration = Duration::from_millis(25);
const SLOW: Duration = Duration::from_millis(100);
/// How long to wait after a piece that failed; twice as long after each that fails again.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Most who wait for a sweep to be done; who comes later does not.
const WAITING_MAX: usize = 1_024;

/// Events of a stream that are truncated and still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remains {
    /// The backend's number of the stream.
    pub stream: i64,
    /// The last version that is gone.
    pub after: Version,
    /// The last version that has to go.
    pub up_to: Version,
}

/// The part of what remains that has at most so many events; all if that is all.
pub fn first_of(remains: Vec<Remains>, events: u64) -> Vec<Remains> {
    let mut left = events;
    let take = |remains: Remains| {
        let count = left.min(remains.up_to.0 - remains.after.0);
        left -= count;
        (count > 0).then_some(Remains { up_to: Version(remains.after.0 + count), ..remains })
    };
    remains.into_iter().map_while(take).collect()
}

/// What came of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// Some events are gone; so much time went by while they were removed, without what any
    /// transaction takes.
    Removed(Duration),
    /// There is nothing to be removed.
    Nothing,
    /// Nothing was removed.
    Failed,
}

/// When the next piece is due, and who waits for the last one: appends that truncated something, and
/// were committed. They are told so when all is swept, or as soon as that fails.
#[derive(Debug)]
pub struct Sweeping<W> {
    due: Due,
    waiting: Vec<W>,
    events: u64,
    pause: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Due {
    Never,
    Now,
    At(Instant),
}

impl<W> Default for Sweeping<W> {
    fn default() -> Self {
        Self { due: Due::Never, waiting: Vec::new(), events: SWEEP_EVENTS, pause: PAUSE_MIN }
    }
}

impl<W> Sweeping<W> {
    /// Begins at once, because there is something to be removed.
    pub fn begin(&mut self) {
        self.due = Due::Now;
    }

    /// Begins at once, and lets somebody wait until it is done; gives them back if too many wait.
    pub fn begin_for(&mut self, waiting: W) -> Option<W> {
        self.begin();
        if self.waiting.len() >= WAITING_MAX {
            return Some(waiting);
        }
        self.waiting.push(waiting);
        None
    }

    /// How long to wait before the next piece; none if nothing is to be removed.
    pub fn pause(&self, now: Instant) -> Option<Duration> {
        match self.due {
            Due::Never => None,
            Due::Now => Some(Duration::ZERO),
            Due::At(at) => Some(at.saturating_duration_since(now)),
        }
    }

    /// Whether a piece is due.
    pub fn is_due(&self, now: Instant) -> bool {
        self.pause(now).is_some_and(|pause| pause.is_zero())
    }

    /// Most events of the next piece.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Takes in what came of a piece. Gives back who is to be told.
    pub fn swept(&mut self, piece: Piece, now: Instant) -> Vec<W> {
        match piece {
            Piece::Removed(took) => {
                self.pause = PAUSE_MIN;
                if took < QUICK {
                    self.events = (self.events * 2).min(EVENTS_MAX);
                } else if took > SLOW {
                    self.events = (self.events / 2).max(EVENTS_MIN);
                }
                return Vec::new();
            }
            Piece::Nothing => (self.due, self.pause) = (Due::Never, PAUSE_MIN),
            Piece::Failed => {
                self.due = Due::At(now + self.pause);
                self.pause = (self.pause * 2).min(PAUSE_MAX);
                self.events = (self.events / 2).max(1);
            }
        }
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remains(stream: i64, after: u64, up_to: u64) -> Remains {
        Remains { stream, after: Version(after), up_to: Version(up_to) }
    }

    #[test]
    fn a_piece_has_streams_until_it_has_enough_events() {
        let all = || vec![remains(1, 0, 3), remains(2, 5, 9), remains(3, 0, 1)];
        assert_eq!(first_of(all(), 9), all());
        assert_eq!(first_of(all(), 5), [remains(1, 0, 3), remains(2, 5, 7)]);
        assert_eq!(first_of(all(), 3), [remains(1, 0, 3)]);
        assert_eq!(first_of(Vec::new(), 3), []);
    }

    #[test]
    fn pieces_follow_until_nothing_is_left_and_then_all_are_told() {
        let (mut sweeping, now) = (Sweeping::default(), Instant::now());
        assert_eq!(sweeping.pause(now), None);
        assert_eq!(sweeping.begin_for("a"), None);
        assert!(sweeping.is_due(now));
        assert!(sweeping.swept(Piece::Removed(SLOW), now).is_empty());
        assert_eq!(sweeping.begin_for("b"), None);
        assert_eq!(sweeping.swept(Piece::Nothing, now), ["a", "b"]);
        assert_eq!(sweeping.pause(now), None);
    }

    #[test]
    fn who_waits_is_told_when_a_piece_fails_and_that_is_tried_later_and_later() {
        let (mut sweeping, now) = (Sweeping::default(), Instant::now());
        assert_eq!(sweeping.begin_for("a"), None);
        assert_eq!(sweeping.swept(Piece::Failed, now), ["a"]);
        assert_eq!(sweeping.pause(now), Some(PAUSE_MIN));
        assert!(!sweeping.is_due(now));
        assert!(sweeping.is_due(now + PAUSE_MIN));
        sweeping.swept(Piece::Failed, now);
        assert_eq!(sweeping.pause(now), Some(2 * PAUSE_MIN));
        for _ in 0..20 {
            sweeping.swept(Piece::Failed, now);
        }
        assert_eq!(sweeping.pause(now), Some(PAUSE_MAX));
        sweeping.begin();
        assert!(sweeping.is_due(now), "somebody truncates");
        sweeping.swept(Piece::Removed(SLOW), now);
        assert!(sweeping.is_due(now));
        sweeping.swept(Piece::Failed, now);
        assert_eq!(sweeping.pause(now), Some(PAUSE_MIN));
    }

    #[test]
    fn pieces_grow_while_they_are_quick_and_shrink_when_they_are_slow() {
        let (mut sweeping, now) = (Sweeping::<()>::default(), Instant::now());
        let mut after = |took| {
            sweeping.swept(Piece::Removed(took), now);
            sweeping.events()
        };
        assert_eq!([Duration::ZERO; 3].map(&mut after), [1_000, 2_000, 2_000]);
        assert_eq!([QUICK, SLOW, 2 * SLOW, 2 * SLOW].map(&mut after), [2_000, 2_000, 1_000, 500]);
        assert_eq!([2 * SLOW; 10].map(&mut after)[9], EVENTS_MIN);
    }

    #[test]
    fn not_more_wait_than_a_limit() {
        let mut sweeping = Sweeping::default();
        assert!((0..WAITING_MAX).all(|one| sweeping.begin_for(one).is_none()));
        assert_eq!(sweeping.begin_for(7), Some(7));
    }
}
