//! How many events are read at once: so many that they make up a good piece of memory, not more.

use fairway_ledger::Event;

/// The bytes that are wanted of one page.
const PAGE_BYTES: usize = 1 << 20;
/// Most events of one page.
const PAGE_EVENTS_MAX: usize = 2_000;
/// Events of the first page, before it is known how large they are.
const FIRST: usize = 64;
/// What an event takes up besides what it carries.
const EVENT_BYTES: usize = 200;

/// Decides how many events are read next, by the size of those before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    events: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { events: FIRST }
    }
}

impl Pace {
    /// How many events to read.
    pub(crate) fn events(self) -> usize {
        self.events
    }

    /// Takes in what was read.
    pub(crate) fn seen(&mut self, events: &[Event]) {
        let sizes = events.iter().map(|event| event.data.len() + event.metadata.len());
        let mean = EVENT_BYTES + sizes.sum::<usize>() / events.len().max(1);
        self.events = (PAGE_BYTES / mean).clamp(1, PAGE_EVENTS_MAX);
    }
}
