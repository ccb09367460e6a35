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
    Append, Appended, Before, NewEvent, Place, Position, Retention, Standing, Step, StreamName,
    StreamState, Version, judge,
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
        let before = |append: &Append| Before {
            state: self.entry(&append.stream).state.clone(),
            places: self.places(append),
        };
        let before: Vec<Before> = appends.iter().map(before).collect();
        let judged = judge(appends, &before, self.end.position)?;
        for (append, step) in appends.iter().zip(&judged.steps) {
            if let Step::Store(end) = step {
                self.store(append, *end);
            }
        }
        for (about, retention) in &judged.retentions {
            self.retain(about, *retention);
        }
        Ok(judged.appended())
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

    /// Stores events that end somewhere.
    fn store(&mut self, append: &'b Append, end: Appended) {
        let ids = self.made(&append.stream);
        let count = append.events.len() as u64;
        let places = (end.position.0 - count + 1..).zip(end.version.0 - count + 1..);
        for (event, (position, version)) in append.events.iter().zip(places) {
            let place = Place { position: Position(position), version: Version(version) };
            self.end.largest = self.end.largest.max(signed(event.bytes() as u64));
            self.batch.add_event(ids, place.version, event);
            if let Some(id) = event.id {
                self.places.insert((append.stream.clone(), id), place);
            }
        }
        self.end.position = end.position;
        let state = &mut self.entry(&append.stream).state;
        state.version = end.version;
        if state.standing != Standing::Live {
            state.standing = Standing::Live;
            self.batch.touch(&append.stream);
        }
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

    /// Applies what was decided of a stream, which is made if it is not there and that changes
    /// something.
    fn retain(&mut self, name: &StreamName, retention: Retention) {
        let Some(state) = self.entry(name).state.retained(retention) else { return };
        let ids = self.made(name);
        let is_live = state.standing == Standing::Live;
        self.entry(name).state = state;
        self.batch.touch(name);
        if !is_live {
            self.batch.forget_snapshots(ids.stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_ledger::{AppendError, Expected};
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
