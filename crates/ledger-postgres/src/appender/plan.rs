//! Decides on a group of appends, without asking anybody: what is answered, and what is to be
//! stored.

use crate::{
    appender::{
        batch::Batch,
        known::{Entry, Known, Places, StreamIds},
        lease::Lease,
        queue::AppendResult,
    },
    reader::signed,
};
use fairway_ledger::{
    Append, Appended, NewEvent, Place, Retention, Standing, StreamName, StreamState, Verdict,
    Version, judge, judge_all,
};

/// Decides on appends one after the other.
#[derive(Debug)]
pub(crate) struct Planner<'a, 'b> {
    known: &'a mut Known,
    places: Places,
    /// Where the ledger ends after what was decided so far.
    end: &'a mut Lease,
    batch: Batch<'b>,
}

impl<'a, 'b> Planner<'a, 'b> {
    /// `known` has all streams of the appends; it and `end` are changed to what will be true.
    pub(crate) fn new(known: &'a mut Known, places: Places, end: &'a mut Lease) -> Self {
        Self { known, places, end, batch: Batch::default() }
    }

    /// What is to be stored, and where the ledger ends then.
    pub(crate) fn finish(mut self) -> Batch<'b> {
        self.batch.set_streams(self.known);
        self.batch
    }

    /// Appends to all streams or, on a conflict, to none.
    pub(crate) fn append(&mut self, appends: &'b [Append]) -> AppendResult {
        let states: Vec<StreamState> =
            appends.iter().map(|append| self.entry(&append.stream).state.clone()).collect();
        let verdicts = appends
            .iter()
            .zip(&states)
            .map(|(append, state)| judge(append, state, &self.places(append)))
            .collect();
        let verdicts = judge_all(appends, &states, verdicts)?;
        let (mut appended, mut facts) = (Vec::with_capacity(appends.len()), Vec::new());
        for ((append, state), verdict) in appends.iter().zip(states).zip(verdicts) {
            appended.push(match verdict {
                Verdict::Repeated(Place { position, version }) => Appended { position, version },
                Verdict::Fresh if append.events.is_empty() => {
                    Appended { position: self.end.position, version: state.version }
                }
                Verdict::Fresh => {
                    facts.extend(append.retention());
                    self.store(append)
                }
            });
        }
        // What is said of a stream is said of all that comes with it, before or after.
        for (about, retention) in facts {
            self.retain(&about, retention);
        }
        Ok(appended)
    }

    fn entry(&mut self, name: &StreamName) -> &mut Entry {
        let none = || Entry { ids: None, state: StreamState::none(name.clone()) };
        self.known.streams.entry(name.clone()).or_insert_with(none)
    }

    /// Where events are whose ids the stream has already; empty if none was given an id.
    fn places(&self, append: &Append) -> Vec<Option<Place>> {
        if append.events.iter().all(|event| event.id.is_none()) {
            return Vec::new();
        }
        let place =
            |event: &NewEvent| self.places.get(&(append.stream.clone(), event.id?)).copied();
        append.events.iter().map(place).collect()
    }

    fn store(&mut self, append: &'b Append) -> Appended {
        let ids = self.made(&append.stream);
        let mut version = self.entry(&append.stream).state.version;
        for event in &append.events {
            version.0 += 1;
            self.end.position.0 += 1;
            self.end.largest = self.end.largest.max(signed(event.bytes() as u64));
            self.batch.add_event(ids, version, event);
            if let Some(id) = event.id {
                let place = Place { position: self.end.position, version };
                self.places.insert((append.stream.clone(), id), place);
            }
        }
        let state = &mut self.entry(&append.stream).state;
        state.version = version;
        if state.standing != Standing::Live {
            state.standing = Standing::Live;
            self.batch.touch(&append.stream);
        }
        Appended { position: self.end.position, version }
    }

    /// The numbers of a stream, which is made if it is not there.
    fn made(&mut self, name: &StreamName) -> StreamIds {
        if let Some(ids) = self.entry(name).ids {
            return ids;
        }
        let category = self.made_category(name.category());
        self.end.stream += 1;
        let ids = StreamIds { stream: self.end.stream, category };
        self.entry(name).ids = Some(ids);
        self.batch.touch(name);
        ids
    }

    fn made_category(&mut self, name: &str) -> i64 {
        if let Some(&category) = self.known.categories.get(name) {
            return category;
        }
        self.end.category += 1;
        self.known.categories.insert(name.to_owned(), self.end.category);
        self.batch.add_category(self.end.category, name);
        self.end.category
    }

    /// Applies what was decided of a stream. Nothing happens to one that is not there, but a
    /// tombstone can be set before the first event.
    fn retain(&mut self, name: &StreamName, retention: Retention) {
        let is_there = self.entry(name).ids.is_some();
        if !is_there && retention != Retention::Tombstoned {
            return;
        }
        let ids = self.made(name);
        let state = &mut self.entry(name).state;
        match retention {
            Retention::Truncated(gone) => {
                state.truncated = gone.min(state.version).max(state.truncated);
            }
            Retention::Deleted if state.version == Version(0) => return,
            Retention::Deleted => {
                (state.truncated, state.standing) = (state.version, Standing::Deleted);
            }
            Retention::Tombstoned => {
                (state.truncated, state.standing) = (state.version, Standing::Tombstoned);
            }
        }
        let is_live = state.standing == Standing::Live;
        self.batch.touch(name);
        if !is_live {
            self.batch.forget_snapshots(ids.stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_ledger::{AppendError, Expected, Position};
    use fairway_model::Timestamp;

    fn lease() -> Lease {
        let (position, recorded) = (Position(9), Timestamp(0));
        Lease { token: 1, position, recorded, stream: 3, category: 2, largest: 0 }
    }

    fn appends(name: &str, expected: Expected, count: u64) -> Vec<Append> {
        let events = (0..count).map(|number| NewEvent::new("counted", &number).unwrap()).collect();
        vec![Append { stream: name.parse().unwrap(), expected, events }]
    }

    #[test]
    fn appends_of_one_group_see_each_other() {
        let (mut known, mut end) = (Known::default(), lease());
        let mut planner = Planner::new(&mut known, Places::new(), &mut end);
        let first = appends("a-1", Expected::NoStream, 2);
        let late = appends("a-1", Expected::NoStream, 1);
        let next = appends("a-1", Expected::Exact(Version(2)), 1);
        let at = |position, version| Appended {
            position: Position(position),
            version: Version(version),
        };
        assert_eq!(planner.append(&first).unwrap(), [at(11, 2)]);
        let refused = planner.append(&late).unwrap_err();
        assert!(matches!(refused, AppendError::Conflict { actual: Version(2), .. }));
        assert_eq!(planner.append(&next).unwrap(), [at(12, 3)]);
        assert_eq!(planner.finish().events(), 3);
        assert_eq!((end.position, end.stream, end.category), (Position(12), 4, 3));
    }

    #[test]
    fn a_retry_within_a_group_stores_nothing_twice() {
        let (mut known, mut end) = (Known::default(), lease());
        let mut planner = Planner::new(&mut known, Places::new(), &mut end);
        let mut first = appends("a-1", Expected::NoStream, 1);
        first[0].events[0].id = Some(fairway_ledger::EventId([7; 16]));
        let again = first.clone();
        let one = planner.append(&first).unwrap();
        assert_eq!(planner.append(&again).unwrap(), one);
        assert_eq!(planner.finish().events(), 1);
    }
}
