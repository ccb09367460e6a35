//! Events page by page: those of a source that pass a filter and that the caller may read.

use crate::access::{Access, Right};
use fairway_ledger::{
    Event, Filter, From, Ledger, LedgerError, PAGE_BYTES_MAX, PAGE_EVENTS_MAX, Position, Read,
    Scope, StreamName, Version,
};

/// Which events there are at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    All,
    Category(String),
    Stream(StreamName),
}

/// Where a feed stands, and in which direction it goes: a version for a stream, else a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cursor {
    After(u64),
    Before(u64),
}

/// Events page by page.
#[derive(Debug)]
pub(crate) struct Feed {
    ledger: Ledger,
    source: Source,
    cursor: Cursor,
    as_of: Position,
    sieve: Sieve,
    /// Whether there was nothing more at the last look.
    is_at_end: bool,
}

/// Lets through what is asked for and may be read.
#[derive(Debug, Clone)]
pub(crate) struct Sieve {
    pub(crate) filter: Filter,
    pub(crate) access: Access,
}

impl Sieve {
    fn passes(&self, event: &Event) -> bool {
        self.filter.passes(event) && self.access.may(Right::Read, &event.stream)
    }
}

impl Source {
    /// Where an event is in the source.
    pub(crate) fn place(&self, event: &Event) -> u64 {
        match self {
            Self::Stream(_) => event.version.0,
            Self::All | Self::Category(_) => event.position.0,
        }
    }

    fn scope(&self, cursor: Cursor) -> Scope {
        let from = match cursor {
            Cursor::After(after) => From::After(Position(after)),
            Cursor::Before(before) => From::Before(Position(before)),
        };
        match (self, cursor) {
            (Self::All, _) => Scope::All(from),
            (Self::Category(category), _) => Scope::Category(category.clone(), from),
            (Self::Stream(stream), Cursor::After(after)) => {
                Scope::Stream(stream.clone(), From::After(Version(after)))
            }
            (Self::Stream(stream), Cursor::Before(before)) => {
                Scope::Stream(stream.clone(), From::Before(Version(before)))
            }
        }
    }
}

impl Feed {
    pub(crate) fn new(ledger: Ledger, source: Source, cursor: Cursor, sieve: Sieve) -> Self {
        Self { ledger, source, cursor, as_of: Position::END, sieve, is_at_end: false }
    }

    /// The same as the ledger was at a position.
    pub(crate) fn at(self, as_of: Position) -> Self {
        Self { as_of, ..self }
    }

    /// What the reader may read from now on.
    pub(crate) fn give(&mut self, access: Access) {
        self.sieve.access = access;
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Up to where everything was handed on or did not pass.
    pub(crate) fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Whether there was nothing more at the last look.
    pub(crate) fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// Looks at the next events, at most so many, and hands on those that pass. None may pass before
    /// the end.
    pub(crate) async fn next(&mut self, limit: usize) -> Result<Vec<Event>, LedgerError> {
        let limit = limit.clamp(1, PAGE_EVENTS_MAX);
        let read = Read::new(self.source.scope(self.cursor), limit).as_of(self.as_of);
        let mut page = self.ledger.read(read).await?;
        let bytes: usize = page.iter().map(Event::bytes).sum();
        self.is_at_end = page.len() < limit && bytes < PAGE_BYTES_MAX;
        if let Some(last) = page.last() {
            self.go_on_from(self.source.place(last));
        }
        page.retain(|event| self.sieve.passes(event));
        Ok(page)
    }

    /// Takes back events that were handed on, after the one at this place.
    pub(crate) fn go_back_to(&mut self, place: u64) {
        self.go_on_from(place);
        self.is_at_end = false;
    }

    fn go_on_from(&mut self, place: u64) {
        self.cursor = match self.cursor {
            Cursor::After(_) => Cursor::After(place),
            Cursor::Before(_) => Cursor::Before(place),
        };
    }
}
