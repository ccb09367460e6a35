//! A ledger whose personal data are sealed: a layer over another backend.

use crate::{
    error::SubjectError,
    keys::Subjects,
    personal::Personal,
    sealed, snapshot,
    turns::{Turn, Turns},
};
use async_trait::async_trait;
use fairway_ledger::{
    Append, AppendError, Appended, Event, Key, Ledger, LedgerError, LedgerId, ListStreams,
    NewEvent, Position, Read, RowChange, RowSet, Rows, Snapshot, Store, StreamName, StreamState,
    Version, Watch, check,
};
use fairway_model::Timestamp;
use std::{
    collections::BTreeSet, future::poll_fn, panic::resume_unwind, pin::pin, sync::Arc, task::Poll,
};
use tokio::task::{JoinSet, coop::unconstrained};

/// The same ledger, with what is personal sealed in it and opened for who reads.
pub fn over(ledger: &Ledger, subjects: Subjects) -> Ledger {
    let sealing = Sealing { inner: ledger.store().clone(), subjects, turns: Turns::default() };
    Ledger::of(Arc::new(sealing), ledger.clock().clone())
}

#[derive(Debug, Clone)]
struct Sealing {
    inner: Arc<dyn Store>,
    subjects: Subjects,
    /// Who is faster sealed does not overtake who came before.
    turns: Turns,
}

impl Sealing {
    /// Seals what is personal, and hands the appends on when those before them are.
    async fn append_in_turn(
        self,
        turn: Turn,
        appends: Vec<Append>,
        found: Vec<Found>,
    ) -> Result<Vec<Appended>, AppendError> {
        let appends = self.seal(appends, found).await?;
        turn.come().await;
        self.hand_on(turn, appends).await
    }

    /// The turn is over as soon as the store has queued the appends.
    async fn hand_on(
        &self,
        turn: Turn,
        appends: Vec<Append>,
    ) -> Result<Vec<Appended>, AppendError> {
        let mut appending = self.inner.append(appends);
        let begun = poll_fn(|ctx| {
            // A task that has to give way would not have it queued.
            let begin = pin!(unconstrained(appending.as_mut()));
            Poll::Ready(begin.poll(ctx))
        });
        let begun = begun.await;
        drop(turn);
        match begun {
            Poll::Ready(done) => done,
            Poll::Pending => appending.await,
        }
    }

    async fn seal(
        &self,
        mut appends: Vec<Append>,
        found: Vec<Found>,
    ) -> Result<Vec<Append>, AppendError> {
        if found.is_empty() {
            return Ok(appends);
        }
        let of = |found: &Found| (appends[found.append].stream.clone(), found.of.subject.clone());
        let (open, sealed): (Vec<Found>, Vec<Found>) =
            found.into_iter().partition(|found| found.is_open);
        let (wanted, noted) = (open.iter().map(of).collect(), sealed.iter().map(of).collect());
        if !sealed.is_empty() {
            self.subjects.note(noted).await.map_err(|error| self.error(error))?;
        }
        if open.is_empty() {
            return Ok(appends);
        }
        let keys = self.subjects.keys_for(wanted).await.map_err(|error| self.error(error))?;
        for Found { append, event, of, .. } in open {
            let event = &mut appends[append].events[event];
            let data = sealed::seal(&event.data, &of, &keys[&of.subject]);
            event.data = data.map_err(|error| refused(event, error))?;
        }
        Ok(appends)
    }

    async fn open(&self, mut events: Vec<Event>) -> Result<Vec<Event>, LedgerError> {
        // What is wrong with metadata was refused when they were appended through this layer.
        let personal = |event: &Event| Personal::of(&event.metadata).ok().flatten();
        let found: Vec<(usize, Personal)> = events
            .iter()
            .enumerate()
            .filter_map(|(index, event)| Some((index, personal(event)?)))
            .collect();
        if found.is_empty() {
            return Ok(events);
        }
        let subjects = found.iter().map(|(_, personal)| personal.subject.clone()).collect();
        let keys = self.subjects.keys(subjects).await.map_err(|error| self.error(error))?;
        for (index, personal) in found {
            let key = keys.get(&personal.subject);
            events[index].data = sealed::open(&events[index].data, &personal, key);
        }
        Ok(events)
    }

    fn error(&self, error: SubjectError) -> LedgerError {
        LedgerError::Backend { ledger: self.inner.place(), source: Arc::new(error) }
    }
}

/// An event with personal data.
struct Found {
    /// Its append and its place in that.
    append: usize,
    event: usize,
    of: Personal,
    /// Whether some of them are not sealed yet.
    is_open: bool,
}

fn personal_events(appends: &[Append]) -> Result<Vec<Found>, AppendError> {
    let mut found = Vec::new();
    for (append, of_stream) in appends.iter().enumerate() {
        for (index, event) in of_stream.events.iter().enumerate() {
            let personal = Personal::of(&event.metadata).map_err(|error| refused(event, error))?;
            let Some(of) = personal else { continue };
            let is_open = sealed::has_open(&event.data, &of);
            let is_open = is_open.map_err(|error| refused(event, error))?;
            found.push(Found { append, event: index, of, is_open });
        }
    }
    Ok(found)
}

fn refused(event: &NewEvent, error: SubjectError) -> AppendError {
    match error {
        SubjectError::Malformed(_) | SubjectError::NotJson => {
            AppendError::Personal { kind: event.kind.clone(), source: Arc::new(error) }
        }
        other => AppendError::Ledger(LedgerError::Backend {
            ledger: "the keys of subjects".to_owned(),
            source: Arc::new(other),
        }),
    }
}

#[async_trait]
impl Store for Sealing {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn id(&self) -> LedgerId {
        self.inner.id()
    }

    async fn append(&self, appends: Vec<Append>) -> Result<Vec<Appended>, AppendError> {
        let turn = self.turns.take();
        check(&appends)?;
        let found = personal_events(&appends)?;
        if found.is_empty() && turn.is_first() {
            return self.hand_on(turn, appends).await;
        }
        // Goes on also while the caller waits for something else, for which others have to go on.
        let mut task = JoinSet::new();
        task.spawn(self.clone().append_in_turn(turn, appends, found));
        match task.join_next().await.expect("one was started") {
            Ok(appended) => appended,
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(_) => Err(LedgerError::Closed.into()),
        }
    }

    async fn read(&self, read: Read) -> Result<Vec<Event>, LedgerError> {
        self.open(self.inner.read(read).await?).await
    }

    async fn stream(&self, name: &StreamName) -> Result<StreamState, LedgerError> {
        self.inner.stream(name).await
    }

    async fn streams(&self, list: ListStreams) -> Result<Vec<StreamState>, LedgerError> {
        self.inner.streams(list).await
    }

    async fn head(&self) -> Result<Position, LedgerError> {
        self.inner.head().await
    }

    async fn position_at(&self, moment: Timestamp) -> Result<Position, LedgerError> {
        self.inner.position_at(moment).await
    }

    async fn save_snapshot(
        &self,
        stream: &StreamName,
        snapshot: Snapshot,
    ) -> Result<bool, LedgerError> {
        let subjects = self.subjects.of_stream(stream).await.map_err(|error| self.error(error))?;
        if subjects.is_empty() {
            return self.inner.save_snapshot(stream, snapshot).await;
        }
        let subjects: BTreeSet<String> = subjects.into_iter().collect();
        let keys = self.subjects.keys(subjects).await.map_err(|error| self.error(error))?;
        let sealed = snapshot::seal(snapshot, &keys).map_err(|error| self.error(error))?;
        self.inner.save_snapshot(stream, sealed).await
    }

    async fn snapshot(
        &self,
        stream: &StreamName,
        up_to: Version,
    ) -> Result<Option<Snapshot>, LedgerError> {
        let Some(found) = self.inner.snapshot(stream, up_to).await? else { return Ok(None) };
        let Some((label, sealed)) = snapshot::parts(&found) else { return Ok(Some(found)) };
        let subjects = label.subjects.iter().cloned().collect();
        let keys = self.subjects.keys(subjects).await.map_err(|error| self.error(error))?;
        Ok(snapshot::open(&found, (&label, sealed), &keys))
    }

    async fn rows_position(&self, set: RowSet) -> Result<Position, LedgerError> {
        self.inner.rows_position(set).await
    }

    async fn rows(&self, set: RowSet, rows: Rows) -> Result<Vec<(Key, String)>, LedgerError> {
        self.inner.rows(set, rows).await
    }

    async fn store_rows(&self, change: RowChange) -> Result<bool, LedgerError> {
        self.inner.store_rows(change).await
    }

    fn watch(&self) -> Result<Box<dyn Watch>, LedgerError> {
        self.inner.watch()
    }

    fn wake(&self) {
        self.inner.wake();
    }
}
