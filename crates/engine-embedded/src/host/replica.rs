//! One replica of a set, and the containers it is in the course of its life.

use fairway_engine::{Exit, ReplicaState};
use fairway_model::Timestamp;
use std::{fmt, net::SocketAddr, time::Duration};

/// The first pause before a replica that ended is started again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A replica that was ready for so long starts with the first pause again.
const STEADY: Duration = Duration::from_secs(10);

/// The container that is one attempt of one replica of a set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// The set's name.
    pub(super) set: String,
    /// The replica's number in the set, from 0.
    pub(super) number: u16,
    /// How many containers it had before.
    pub(super) attempt: u32,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}-{}", self.set, self.number, self.attempt)
    }
}

impl Key {
    /// The key in the name of a container; `None` if it is no replica's.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (set, rest) = name.rsplit_once('.')?;
        let (number, attempt) = rest.split_once('-')?;
        let (number, attempt) = (number.parse().ok()?, attempt.parse().ok()?);
        Some(Self { set: set.to_owned(), number, attempt })
    }
}

/// One replica of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replica {
    /// Its present container, or the last one.
    pub(super) attempt: u32,
    /// How many times in a row it ended without having been steady.
    pub(super) failures: u32,
    /// How it stands.
    pub(super) phase: Phase,
}

/// How a replica stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its container is being started.
    Launching,
    /// It runs.
    Starting { address: SocketAddr },
    /// It takes traffic.
    Ready { address: SocketAddr, since: Timestamp },
    /// It runs, but will not get ready.
    Unready { why: String },
    /// It ended, or could not be started, and is started again at a time.
    Waiting { because: Because, until: Timestamp },
    /// It is being stopped and removed.
    Retiring,
}

/// Why a replica waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Because {
    /// It ended.
    Ended(Exit),
    /// It could not be started.
    Refused(String),
}

impl Replica {
    /// A replica whose first container is about to be started.
    pub(super) fn new() -> Self {
        Self { attempt: 0, failures: 0, phase: Phase::Launching }
    }

    /// What is told of it.
    pub(super) fn standing(&self) -> ReplicaState {
        match &self.phase {
            Phase::Launching | Phase::Starting { .. } => ReplicaState::Starting,
            Phase::Ready { address, .. } => ReplicaState::Ready(*address),
            Phase::Unready { why } => ReplicaState::Unready(why.clone()),
            Phase::Waiting { because: Because::Ended(exit), until } => {
                ReplicaState::Ended(*exit, *until)
            }
            Phase::Waiting { because: Because::Refused(why), .. } => {
                ReplicaState::Unready(why.clone())
            }
            Phase::Retiring => ReplicaState::Gone,
        }
    }

    /// It ended, or could not be started: it waits, longer each time.
    pub(super) fn fall(&mut self, because: Because, now: Timestamp) {
        let was_steady =
            matches!(self.phase, Phase::Ready { since, .. } if now.since(since) >= STEADY);
        self.failures = if was_steady { 1 } else { self.failures.saturating_add(1) };
        let doubled = 2_u32.saturating_pow(self.failures - 1);
        let pause = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
        self.phase = Phase::Waiting { because, until: now.plus(pause) };
    }

    /// Whether its present container exists.
    pub(super) fn has_container(&self) -> bool {
        matches!(self.phase, Phase::Starting { .. } | Phase::Ready { .. } | Phase::Unready { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_engine::ExitStatus;

    fn exit() -> Because {
        let (status, at) = (ExitStatus::Code(1), Timestamp(0));
        Because::Ended(Exit { status, memory_kills: 0, process_refusals: 0, at })
    }

    #[test]
    fn a_key_is_in_the_name_of_its_container() {
        let key = Key { set: "db.orders-7".to_owned(), number: 2, attempt: 13 };
        assert_eq!(key.to_string(), "db.orders-7.2-13");
        assert_eq!(Key::parse("db.orders-7.2-13"), Some(key));
        for other in ["orders", "orders.x-1", "orders.1", "orders.1-", "orders.99999-1"] {
            assert_eq!(Key::parse(other), None, "{other}");
        }
    }

    #[test]
    fn pauses_double_up_to_half_a_minute_and_begin_again_after_a_steady_time() {
        let mut replica = Replica::new();
        let mut pauses = Vec::new();
        for _ in 0..11 {
            replica.fall(exit(), Timestamp(0));
            let Phase::Waiting { until, .. } = replica.phase else { panic!("{replica:?}") };
            pauses.push(until.0);
        }
        let expected = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000];
        assert_eq!(pauses, expected);
        let address = SocketAddr::from(([10, 0, 0, 1], 80));
        replica.phase = Phase::Ready { address, since: Timestamp(0) };
        replica.fall(exit(), Timestamp(10_000));
        let Phase::Waiting { until, .. } = replica.phase else { panic!("{replica:?}") };
        assert_eq!(until, Timestamp(10_100));
    }
}
