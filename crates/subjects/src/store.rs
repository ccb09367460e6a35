//! A ledger whose personal data are sealed: a layer over another backend.

use crate::{
    error::SubjectError, kept, keys::Subjects, personal::Personal, sealed, sealing::Sealing,
    snapshot,
};
use async_trait::async_trait;
use fairway_ledger::{
    Append, AppendError, Appended, Event, Key, Ledger, LedgerError, LedgerId, ListStreams,
    Position, Read, RowChange, RowSet, Rows, Snapshot, Store, StreamName, StreamState, Version,
    Watch,
};
use fairway_model::Timestamp;
use std::sync::Arc;

/// The same ledger, with what is personal sealed in it and opened for who reads. Nothing is sealed,
/// and no snapshot saved, if the ledger's personal data are sealed with other keys: see
/// [`crate::KEYS_STREAM`]. With the right keys, an append has one stream less than without them.
pub fn over(ledger: &Ledger, subjects: Subjects) -> Ledger {
    let layer = Layer(Sealing::new(ledger.store().clone(), subjects));
    Ledger::of(Arc::new(layer), ledger.clock().clone())
}

#[derive(Debug)]
struct Layer(Sealing);

impl Layer {
    fn inner(&self) -> &dyn Store {
        &*self.0.inner
    }

    fn subjects(&self) -> &Subjects {
        &self.0.subjects
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
        let keys = self.subjects().0.keys(subjects).await.map_err(|error| self.error(error))?;
        for (index, personal) in found {
            let key = keys.get(&personal.subject);
            events[index].data = sealed::open(&events[index].data, &personal, key);
        }
        Ok(events)
    }

    fn error(&self, error: SubjectError) -> LedgerError {
        error.of(self.inner())
    }
}

#[async_trait]
impl Store for Layer {
    fn place(&self) -> String {
        self.inner().place()
    }

    fn id(&self) -> LedgerId {
        self.inner().id()
    }

    async fn append(&self, appends: Vec<Append>) -> Result<Vec<Appended>, AppendError> {
        self.0.append(appends).await
    }

    async fn read(&self, read: Read) -> Result<Vec<Event>, LedgerError> {
        self.open(self.inner().read(read).await?).await
    }

    async fn stream(&self, name: &StreamName) -> Result<StreamState, LedgerError> {
        self.inner().stream(name).await
    }

    async fn streams(&self, list: ListStreams) -> Result<Vec<StreamState>, LedgerError> {
        self.inner().streams(list).await
    }

    async fn head(&self) -> Result<Position, LedgerError> {
        self.inner().head().await
    }

    async fn position_at(&self, moment: Timestamp) -> Result<Position, LedgerError> {
        self.inner().position_at(moment).await
    }

    async fn save_snapshot(
        &self,
        stream: &StreamName,
        snapshot: Snapshot,
    ) -> Result<bool, LedgerError> {
        // Of whom the stream has personal data is known where the keys are.
        let said = kept::said(self.inner()).await?;
        let own = said.assert_own(self.subjects()).await;
        own.map_err(|error| self.error(error))?;
        let keys = self.subjects().0.keys_of(stream).await.map_err(|error| self.error(error))?;
        if keys.is_empty() {
            return self.inner().save_snapshot(stream, snapshot).await;
        }
        let sealed = snapshot::seal(snapshot, &keys).map_err(|error| self.error(error))?;
        self.inner().save_snapshot(stream, sealed).await
    }

    async fn snapshot(
        &self,
        stream: &StreamName,
        up_to: Version,
    ) -> Result<Option<Snapshot>, LedgerError> {
        let Some(found) = self.inner().snapshot(stream, up_to).await? else { return Ok(None) };
        let Some((label, sealed)) = snapshot::parts(&found) else { return Ok(Some(found)) };
        let subjects = label.subjects.iter().cloned().collect();
        let keys = self.subjects().0.keys(subjects).await.map_err(|error| self.error(error))?;
        Ok(snapshot::open(&found, (&label, sealed), &keys))
    }

    async fn rows_position(&self, set: RowSet) -> Result<Position, LedgerError> {
        self.inner().rows_position(set).await
    }

    async fn rows(&self, set: RowSet, rows: Rows) -> Result<Vec<(Key, String)>, LedgerError> {
        self.inner().rows(set, rows).await
    }

    async fn store_rows(&self, change: RowChange) -> Result<bool, LedgerError> {
        self.inner().store_rows(change).await
    }

    fn watch(&self) -> Result<Box<dyn Watch>, LedgerError> {
        self.inner().watch()
    }

    fn wake(&self) {
        self.inner().wake();
    }
}
