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
use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until};

/// Most events that are written at once.
const PAGE: usize = 2_000;
/// Most streams that are remembered to be looked at; if there are more, all are looked at.
const RETAINED_MAX: usize = 10_000;
/// Most snapshots that are copied at once.
const SNAPSHOTS: usize = 50;
/// How often a copy that follows takes over what no event tells of; and how much longer it goes
/// without that than it took.
const REST_EVERY: Duration = Duration::from_secs(1);
const REST_SHARE: u32 = 20;

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
    /// Whether positions were passed whose events are gone. What says so was there by then.
    is_holey: bool,
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
        let (at, commits, retained) = (to.head().await?, from.watch()?, BTreeSet::new());
        Ok(Self { from, to, commits, at, retained, is_listed: false, is_holey: false })
    }

    /// Copies until nothing is left to be copied.
    pub async fn catch_up(&mut self, watch: &mut impl FnMut(Progress)) -> Result<(), CopyError> {
        loop {
            let head = self.from.head().await?;
            self.is_holey = false;
            self.copy_to(head, watch).await?;
            if !self.is_listed {
                self.copy_all_states(watch).await?;
            } else if !self.retained.is_empty() {
                let names = std::mem::take(&mut self.retained);
                self.copy_states(names, watch).await?;
            } else if !self.is_holey {
                return Ok(());
            }
        }
    }

    /// Copies what is there now of what no event tells of: snapshots, and ids of truncated events.
    pub async fn copy_rest(&mut self, watch: &mut impl FnMut(Progress)) -> Result<(), CopyError> {
        self.copy_snapshots(watch).await?;
        let mut after = Position(0);
        loop {
            let truncated_ids = self.from.truncated_ids(after, PAGE).await?;
            let Some(last) = truncated_ids.last() else { break };
            after = last.place.position;
            self.write_as_of_now(Part { truncated_ids, ..Part::default() }, watch).await?;
        }
        // Events that came along may say how streams stand.
        self.catch_up(watch).await
    }

    /// Goes on copying what is committed, until this is dropped.
    pub async fn follow(
        &mut self,
        watch: &mut impl FnMut(Progress),
    ) -> Result<Infallible, CopyError> {
        let (mut is_rest_due, mut rest_at) = (false, Instant::now());
        loop {
            let sleep = sleep_until(rest_at);
            tokio::select! {
                changed = self.commits.changed() => {
                    changed?;
                    self.catch_up(watch).await?;
                    is_rest_due = true;
                }
                () = sleep, if is_rest_due => {
                    let start = Instant::now();
                    self.copy_rest(watch).await?;
                    let pause = REST_EVERY.max(start.elapsed() * REST_SHARE);
                    (is_rest_due, rest_at) = (false, Instant::now() + pause);
                }
            }
        }
    }

    async fn copy_snapshots(&mut self, watch: &mut impl FnMut(Progress)) -> Result<(), CopyError> {
        let mut list = ListSnapshots { after: None, limit: SNAPSHOTS };
        loop {
            let snapshots = self.from.snapshots(list.clone()).await?;
            let Some((stream, snapshot)) = snapshots.last() else { return Ok(()) };
            list.after = Some((stream.clone(), snapshot.version));
            self.write_as_of_now(Part { snapshots, ..Part::default() }, watch).await?;
        }
    }

    /// Moves the ledger to the copy: closes it, copies what is left, and opens the copy. If that
    /// fails, the ledger is open again; if this is dropped or killed, both are closed, and another
    /// move goes on. Of two moves at once only the one that closed the ledger opens it again.
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
            if before == Home::Here {
                self.from.set_home(Home::Here).await?;
            }
            return Err(error);
        }
        Ok(self.to.set_home(Home::Here).await?)
    }

    /// Copies the rest of a ledger that does not change any more.
    async fn finish(&mut self, watch: &mut impl FnMut(Progress)) -> Result<(), CopyError> {
        self.catch_up(watch).await?;
        self.copy_rest(watch).await?;
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
            self.is_holey |= last.0 - self.at.0 > events.len() as u64;
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
        if part.streams.is_empty() && part.snapshots.is_empty() && part.truncated_ids.is_empty() {
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
