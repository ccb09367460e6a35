//! How many events a reader reads at once: so many that they make up a good piece of memory, not more.

use crate::event::Event;

/// The bytes that are wanted of one page.
const PAGE_BYTES: usize = 1 << 20;
/// Most events of one page.
const PAGE_EVENTS_MAX: usize = 2_000;
/// Events of the first page, before it is known how large they are.
const FIRST: usize = 16;
/// By how much pages grow at once: those that come may be larger than those that came.
const GROWTH: usize = 8;
/// What an event takes up besides what it carries.
const EVENT_BYTES: usize = 200;

/// Decides how many events are read next, by the size of those before. For who holds pages of many
/// readers at once, however slowly these take them.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    events: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { events: FIRST }
    }
}

impl Pace {
    /// How many events to read.
    pub fn events(self) -> usize {
        self.events
    }

    /// Takes in what is held of a page that was read: nothing of one of which no event is wanted.
    pub fn seen(&mut self, events: &[Event]) {
        let sizes = events.iter().map(Event::bytes);
        let mean = EVENT_BYTES + sizes.sum::<usize>() / events.len().max(1);
        let most = PAGE_EVENTS_MAX.min(self.events * GROWTH);
        self.events = (PAGE_BYTES / mean).clamp(1, most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Data, EventId, Kind, Position, StreamName, Version};
    use fairway_model::Timestamp;

    fn events(count: usize, bytes: usize) -> Vec<Event> {
        let event = Event {
            position: Position(1),
            stream: StreamName::trusted("a"),
            version: Version(1),
            id: EventId([0; 16]),
            kind: Kind::trusted("k"),
            recorded: Timestamp(0),
            data: Data::Bytes(vec![0; bytes]),
            metadata: Data::Bytes(Vec::new()),
        };
        vec![event; count]
    }

    #[test]
    fn pages_grow_with_small_events_and_shrink_with_large_ones_at_once() {
        let mut pace = Pace::default();
        let mut seen = |count, bytes| {
            pace.seen(&events(count, bytes));
            pace.events()
        };
        assert_eq!([seen(16, 56), seen(16, 56), seen(16, 56)], [128, 1024, 2000]);
        assert_eq!(seen(4, 1 << 20), 1);
        assert_eq!([seen(1, 56), seen(0, 0), seen(1, 1000)], [8, 64, 512]);
    }
}
