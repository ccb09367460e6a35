//! Copying a ledger to another place, event by event, while it is in use; and moving it there.
//!
//! The copy has every event at its position. How streams stand is taken from the ledger as well, and
//! is written after all events that were there at that time: the later of two states of a stream
//! can be told, so it does not matter in which order they come.

use crate::{
    error::LedgerError,
    event::{Event, Position, Version},
    portable::{Home, ListSnapshots, Part, Portable},
    read::{From, ListStreams, PAGE_STREAMS_MAX, Read, Scope, Standing, StreamState},
    store::Watch,
    stream_name::StreamName,
};
use std::{collections::BTreeSet, sync::Arc};

/// Most events that are written at once.
const PAGE: usize = 2_000;
/// Most streams that are remembered to be looked at; if there are more, all are looked at.
const RETAINED_MAX: usize = 10_000;
/// Most snapshots that are copied at once.
const SNAPSHOTS: usize = 50;

/// Why a ledger was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is another ledger.
    #[error("`{0}` has events of another ledger, or of its own")]
    Occupied(String),
    /// Somebody opened the copy to appends.
    #[error("`{0}` is no copy any more: it takes appends")]
    Independent(String),
    /// The ledger lives at a third place.
    #[error("ledger `{ledger}` was moved to `{to}` already")]
    Elsewhere {
        /// Its place.
        ledger: String,
        /// Where it lives.
        to: String,
    },
    /// One of both ledgers failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The last position that the copy has.
    pub copied: Position,
    /// The last position of the ledger.
    pub head: Position,
}

/// A copy on its way. It can be dropped at any moment; another one goes on from there.
#[derive(Debug)]
pub struct Copying {
    from: Arc<dyn Portable>,
    to: Arc<dyn Portable>,
    commits: Box<dyn Watch>,
    at: Position,
    /// Streams of which something was truncated since they were looked at.
    retained: BTreeSet<StreamName>,
    /// Whether all streams were looked at.
    is_listed: bool,
}

impl Copying {
    /// Goes on with a copy, or begins one. `to` was opened after it adopted the ledger's id.
    pub async fn begin(from: Arc<dyn Portable>, to: Arc<dyn Portable>) -> Result<Self, CopyError> {
        if to.id() != from.id() {
            return Err(CopyError::Occupied(to.place()));
        }
        if to.home().await? == Home::Here {
            return Err(CopyError::Independent(to.place()));
        }
        let (at, commits) = (to.head().await?, from.watch()?);
        Ok(Self { from, to, commits, at, retained: BTreeSet::new(), is_listed: false })
    }

    /// Copies until nothing is left to be copied.
    pub async fn catch_up(&mut self, watch: &mut impl FnMut(Progress)) -> Result<(), CopyError> {
        loop {
            let head = self.from.head().await?;
            self.copy_to(head, watch).await?;
            if !self.is_listed {
                self.copy_all_states(watch).await?;
            } else if !self.retained.is_empty() {
                let names = std::mem::take(&mut self.retained);
                self.copy_states(names, watch).await?;
            } else {
                return Ok(());
            }
        }
    }

    /// Copies the snapshots that are there now.
    pub async fn copy_snapshots(
        &mut self,
        watch: &mut impl FnMut(Progress),
    ) -> Result<(), CopyError> {
        let mut list = ListSnapshots { after: None, limit: SNAPSHOTS };
        loop {
            let snapshots = self.from.snapshots(list.clone()).await?;
            let Some((stream, snapshot)) = snapshots.last() else { return Ok(()) };
            list.after = Some((stream.clone(), snapshot.version));
            self.write_as_of_now(Part { snapshots, ..Part::default() }, watch).await?;
        }
    }

    /// Returns when there may be more to copy.
    pub async fn changed(&mut self) -> Result<(), CopyError> {
        Ok(self.commits.changed().await?)
    }

    /// Moves the ledger to the copy: closes it, copies what is left, and opens the copy. If that
    /// fails, the ledger is open as before; if this is dropped or killed, both are closed, and
    /// another move goes on.
    pub async fn switch(&mut self, watch: &mut impl FnMut(Progress)) -> Result<(), CopyError> {
        let (ledger, place) = (self.from.place(), self.to.place());
        let before = self.from.home().await?;
        if let Home::At(to) = &before
            && *to != place
        {
            return Err(CopyError::Elsewhere { ledger, to: to.clone() });
        }
        self.from.set_home(Home::At(place)).await?;
        if let Err(error) = self.finish(watch).await {
            self.from.set_home(Home::Here).await?;
            return Err(error);
        }
        Ok(self.to.set_home(Home::Here).await?)
    }

    /// Copies the rest of a ledger that does not change any more.
    async fn finish(&mut self, watch: &mut impl FnMut(Progress)) -> Result<(), CopyError> {
        self.catch_up(watch).await?;
        self.copy_snapshots(watch).await?;
        if self.to.head().await? == self.from.head().await? {
            return Ok(());
        }
        Err(CopyError::Independent(self.to.place()))
    }

    /// Copies the events up to a position that the ledger has.
    async fn copy_to(
        &mut self,
        head: Position,
        watch: &mut impl FnMut(Progress),
    ) -> Result<(), CopyError> {
        while self.at < head {
            let read = Read::new(Scope::All(From::After(self.at)), PAGE);
            let events = self.from.read(read).await?;
            let Some(last) = events.last().map(|event| event.position) else { return Ok(()) };
            self.remember(&events);
            if self.write(Part { events, ..Part::default() }).await? {
                self.at = last;
            }
            watch(Progress { copied: self.at, head: head.max(self.at) });
        }
        Ok(())
    }

    /// Notes the streams of which something was truncated.
    fn remember(&mut self, events: &[Event]) {
        self.retained.extend(events.iter().filter_map(|event| event.stream.is_about()));
        if self.retained.len() > RETAINED_MAX {
            self.retained.clear();
            self.is_listed = false;
        }
    }

    async fn copy_all_states(&mut self, watch: &mut impl FnMut(Progress)) -> Result<(), CopyError> {
        // What is truncated from here on is remembered by its events.
        self.is_listed = true;
        let mut list = ListStreams { limit: PAGE_STREAMS_MAX, ..ListStreams::default() };
        loop {
            let mut streams = self.from.streams(list.clone()).await?;
            let Some(final_one) = streams.last() else { return Ok(()) };
            list.after = final_one.name.as_str().to_owned();
            streams.retain(is_retained);
            self.write_as_of_now(Part { streams, ..Part::default() }, watch).await?;
        }
    }

    async fn copy_states(
        &mut self,
        names: BTreeSet<StreamName>,
        watch: &mut impl FnMut(Progress),
    ) -> Result<(), CopyError> {
        let mut streams = Vec::with_capacity(names.len());
        for name in names {
            streams.push(self.from.stream(&name).await?);
        }
        streams.retain(is_retained);
        self.write_as_of_now(Part { streams, ..Part::default() }, watch).await
    }

    /// Writes what was just read, after all events that were there by then.
    async fn write_as_of_now(
        &mut self,
        part: Part,
        watch: &mut impl FnMut(Progress),
    ) -> Result<(), CopyError> {
        if part.streams.is_empty() && part.snapshots.is_empty() {
            return Ok(());
        }
        let head = self.from.head().await?;
        self.copy_to(head, watch).await?;
        while !self.write(part.clone()).await? {}
        Ok(())
    }

    /// Writes a part after the last position. False if somebody else copied meanwhile: then this
    /// goes on from where that one is.
    async fn write(&mut self, part: Part) -> Result<bool, CopyError> {
        if self.to.replicate(Part { after: self.at, ..part }).await? {
            return Ok(true);
        }
        if self.to.home().await? == Home::Here {
            return Err(CopyError::Independent(self.to.place()));
        }
        self.at = self.to.head().await?;
        self.is_listed = false;
        Ok(false)
    }
}

/// Whether events alone do not tell how a stream stands.
fn is_retained(stream: &StreamState) -> bool {
    stream.truncated > Version(0) || stream.standing != Standing::Live
}
