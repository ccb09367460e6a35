//! What decides on appends, whatever keeps the ledger: pure, so that all backends say the same.

use crate::{
    append::{Append, AppendError, Appended, STREAM_EVENTS_MAX},
    event::{Position, Version},
    read::{Standing, StreamState},
    retention::Retention,
    stream_name::StreamName,
};

/// Where an event that was appended before is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// In the ledger.
    pub position: Position,
    /// In its stream.
    pub version: Version,
}

/// What a stream is before an append to it.
#[derive(Debug, Clone)]
pub struct Before {
    /// What is known of it.
    pub state: StreamState,
    /// For every event of the append, where the stream has its id already; empty if none was given
    /// an id.
    pub places: Vec<Option<Place>>,
}

/// What is to be done for one of the appends that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its events come next, the last of them here.
    Store(Appended),
    /// Nothing: it has no events, or an earlier try has appended them.
    Tell(Appended),
}

/// What is to be done for appends that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// A step for each.
    pub steps: Vec<Step>,
    /// What is decided of streams, in order, after all steps: what is said of a stream is said of
    /// all that comes with it, before or after.
    pub retentions: Vec<(StreamName, Retention)>,
}

impl Judged {
    /// What is answered.
    pub fn appended(&self) -> Vec<Appended> {
        let appended = |step: &Step| match *step {
            Step::Store(appended) | Step::Tell(appended) => appended,
        };
        self.steps.iter().map(appended).collect()
    }
}

/// Decides on appends that belong together: all that have events are new, or all are repeated.
/// `before` has what the streams of each are, `head` is the end of the ledger.
pub fn judge(appends: &[Append], before: &[Before], head: Position) -> Result<Judged, AppendError> {
    let verdicts: Vec<_> =
        appends.iter().zip(before).map(|(append, before)| judge_one(append, before)).collect();
    let is_repeated = |verdict: &Result<Verdict, _>| matches!(verdict, Ok(Verdict::Repeated(_)));
    let with_events =
        || appends.iter().zip(&verdicts).filter(|(append, _)| !append.events.is_empty());
    let repeats = with_events().filter(|(_, verdict)| is_repeated(verdict)).count();
    if repeats > 0 && repeats < with_events().count() {
        let mixed = verdicts.iter().position(is_repeated).expect("one is repeated");
        return Err(conflict(&appends[mixed], &before[mixed]));
    }
    let (mut end, mut steps, mut retentions) = (head, Vec::new(), Vec::new());
    for ((append, before), verdict) in appends.iter().zip(before).zip(verdicts) {
        let verdict = match verdict {
            // What else was expected held at the first try.
            Err(_) if repeats > 0 => Verdict::New,
            verdict => verdict?,
        };
        let count = append.events.len() as u64;
        let version = Version(before.state.version.0 + count);
        steps.push(match verdict {
            Verdict::Repeated(Place { position, version }) => {
                Step::Tell(Appended { position, version })
            }
            Verdict::New if count == 0 => Step::Tell(Appended { position: end, version }),
            Verdict::New => {
                end.0 += count;
                retentions.extend(append.retentions());
                Step::Store(Appended { position: end, version })
            }
        });
    }
    Ok(Judged { steps, retentions })
}

/// What one append is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    New,
    /// An earlier try has appended all its events, up to this one.
    Repeated(Place),
}

fn judge_one(append: &Append, before: &Before) -> Result<Verdict, AppendError> {
    let Before { state, places } = before;
    if state.standing == Standing::Tombstoned {
        return Err(AppendError::Tombstoned(append.stream.clone()));
    }
    let found: Vec<Place> = places.iter().flatten().copied().collect();
    if let (Some(first), Some(&last)) = (found.first(), found.last()) {
        let in_a_row = found.windows(2).all(|two| two[0].version.0 + 1 == two[1].version.0);
        let is_whole = found.len() == append.events.len() && in_a_row;
        let is_repeated = is_whole && append.expected.held_before(first.version);
        return if is_repeated {
            Ok(Verdict::Repeated(last))
        } else {
            Err(conflict(append, before))
        };
    }
    if !append.expected.holds(state) {
        return Err(conflict(append, before));
    }
    if state.version.0 + append.events.len() as u64 > STREAM_EVENTS_MAX {
        return Err(AppendError::StreamFull(append.stream.clone()));
    }
    Ok(Verdict::New)
}

fn conflict(append: &Append, before: &Before) -> AppendError {
    AppendError::Conflict { stream: append.stream.clone(), actual: before.state.version }
}

impl StreamState {
    /// What the stream becomes by what is decided of it; none if that changes nothing. Before its
    /// first event a stream can only get a tombstone, and after that nothing else.
    pub fn retained(&self, retention: Retention) -> Option<Self> {
        if self.standing == Standing::Tombstoned {
            return None;
        }
        let (truncated, standing) = match retention {
            Retention::Truncated(gone) => {
                (gone.min(self.version).max(self.truncated), self.standing)
            }
            Retention::Deleted if self.version == Version(0) => return None,
            Retention::Deleted => (self.version, Standing::Deleted),
            Retention::Tombstoned => (self.version, Standing::Tombstoned),
        };
        let after = Self { truncated, standing, ..self.clone() };
        (after != *self).then_some(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{append::Expected, event::NewEvent};

    fn state(version: u64, truncated: u64, standing: Standing) -> StreamState {
        let (version, truncated) = (Version(version), Version(truncated));
        StreamState { name: "a".parse().unwrap(), version, truncated, standing }
    }

    fn append(expected: Expected, count: usize) -> Append {
        let events = vec![NewEvent::new("counted", &1).unwrap(); count];
        Append { stream: "a".parse().unwrap(), expected, events }
    }

    fn at(position: u64, version: u64) -> Appended {
        Appended { position: Position(position), version: Version(version) }
    }

    fn place(position: u64, version: u64) -> Option<Place> {
        Some(Place { position: Position(position), version: Version(version) })
    }

    /// The only step of an append at a ledger that ends at 90, or the message of its refusal.
    fn step(
        append: &Append,
        state: StreamState,
        places: Vec<Option<Place>>,
    ) -> Result<Step, String> {
        let judged = judge(std::slice::from_ref(append), &[Before { state, places }], Position(90));
        judged.map(|judged| judged.steps[0]).map_err(|error| error.to_string())
    }

    #[test]
    fn an_append_comes_next_if_its_stream_is_as_expected() {
        use Expected::{Any, Exact, Exists, NoStream};
        let none = || state(0, 0, Standing::Live);
        let some = || state(3, 1, Standing::Live);
        let gone = || state(3, 3, Standing::Deleted);
        let exact = |version| Exact(Version(version));
        for (expected, state, version) in [
            (Any, none(), 2),
            (NoStream, none(), 2),
            (exact(0), none(), 2),
            (Any, some(), 5),
            (Exists, some(), 5),
            (exact(3), some(), 5),
            (Any, gone(), 5),
            (NoStream, gone(), 5),
            (exact(3), gone(), 5),
        ] {
            let done = step(&append(expected, 2), state, vec![]);
            assert_eq!(done, Ok(Step::Store(at(92, version))), "{expected:?}");
        }
        for (expected, state) in [
            (Exists, none()),
            (exact(1), none()),
            (NoStream, some()),
            (exact(2), some()),
            (Exists, gone()),
        ] {
            let version = state.version;
            let refused = step(&append(expected, 2), state, vec![]);
            let conflict = format!("stream `a` has version {version}, which is not as expected");
            assert_eq!(refused, Err(conflict), "{expected:?}");
        }
        let closed = step(&append(Any, 1), state(3, 3, Standing::Tombstoned), vec![]);
        assert!(closed.unwrap_err().contains("has a tombstone"));
        assert_eq!(step(&append(exact(3), 0), some(), vec![]), Ok(Step::Tell(at(90, 3))));
    }

    #[test]
    fn a_stream_has_no_more_events_than_a_limit() {
        let nearly = || state(STREAM_EVENTS_MAX - 2, 7, Standing::Live);
        let last = Step::Store(at(92, STREAM_EVENTS_MAX));
        assert_eq!(step(&append(Expected::Any, 2), nearly(), vec![]), Ok(last));
        let refused = step(&append(Expected::Any, 3), nearly(), vec![]);
        assert_eq!(
            refused,
            Err("stream `a` has 1099511627776 events, which is the most".to_owned())
        );
        let full = || state(STREAM_EVENTS_MAX, STREAM_EVENTS_MAX, Standing::Deleted);
        assert!(
            step(&append(Expected::NoStream, 1), full(), vec![]).is_err(),
            "it goes on counting"
        );
        assert!(step(&append(Expected::Any, 0), full(), vec![]).is_ok(), "a mere check");
        let again = step(&append(Expected::Any, 1), full(), vec![place(80, 5)]);
        assert_eq!(again, Ok(Step::Tell(at(80, 5))), "a retry");
    }

    #[test]
    fn ids_that_are_there_are_a_retry_only_if_all_are_there_in_a_row() {
        let some = || state(3, 0, Standing::Live);
        let told = Ok(Step::Tell(at(12, 3)));
        let both = || vec![place(11, 2), place(12, 3)];
        assert_eq!(step(&append(Expected::NoStream, 2), some(), both()), told);
        assert_eq!(step(&append(Expected::Exact(Version(1)), 2), some(), both()), told);
        assert!(step(&append(Expected::Exact(Version(3)), 2), some(), both()).is_err());
        for other in [
            vec![place(11, 2), None],
            vec![None, place(12, 3)],
            vec![place(12, 3), place(11, 2)],
            vec![place(10, 1), place(12, 3)],
        ] {
            assert!(step(&append(Expected::Any, 2), some(), other.clone()).is_err(), "{other:?}");
        }
    }

    #[test]
    fn appends_that_belong_together_are_new_or_repeated_together() {
        let before = |version, places| Before { state: state(version, 0, Standing::Live), places };
        let both = [append(Expected::Any, 1), append(Expected::Any, 2)];
        let judge = |before: &[Before]| judge(&both, before, Position(90));
        let done = judge(&[before(0, vec![]), before(4, vec![])]).unwrap();
        assert_eq!(done.appended(), [at(91, 1), at(93, 6)]);
        let repeated =
            judge(&[before(1, vec![place(7, 1)]), before(4, vec![place(8, 3), place(9, 4)])]);
        assert_eq!(repeated.unwrap().steps, [Step::Tell(at(7, 1)), Step::Tell(at(9, 4))]);
        let mixed = judge(&[before(1, vec![place(7, 1)]), before(4, vec![])]);
        assert!(matches!(mixed, Err(AppendError::Conflict { actual: Version(1), .. })));
    }

    #[test]
    fn a_stream_only_ever_loses_more() {
        use Standing::{Deleted, Live, Tombstoned};
        let truncated = |gone| Retention::Truncated(Version(gone));
        let changed = |before: (u64, u64, Standing), retention| {
            let after = state(before.0, before.1, before.2).retained(retention)?;
            assert_eq!(after.version.0, before.0);
            Some((after.truncated.0, after.standing))
        };
        for (before, retention, after) in [
            ((5, 0, Live), truncated(3), Some((3, Live))),
            ((5, 0, Live), truncated(9), Some((5, Live))),
            ((5, 3, Live), truncated(3), None),
            ((5, 3, Live), truncated(1), None),
            ((0, 0, Live), truncated(1), None),
            ((5, 3, Live), Retention::Deleted, Some((5, Deleted))),
            ((0, 0, Live), Retention::Deleted, None),
            ((5, 5, Deleted), Retention::Deleted, None),
            ((5, 5, Deleted), truncated(4), None),
            ((5, 3, Live), Retention::Tombstoned, Some((5, Tombstoned))),
            ((5, 5, Deleted), Retention::Tombstoned, Some((5, Tombstoned))),
            ((0, 0, Live), Retention::Tombstoned, Some((0, Tombstoned))),
            ((5, 5, Tombstoned), Retention::Deleted, None),
            ((5, 5, Tombstoned), truncated(5), None),
            ((5, 5, Tombstoned), Retention::Tombstoned, None),
        ] {
            assert_eq!(changed(before, retention), after, "{before:?} {retention:?}");
        }
    }
}
