//! Sealing what is appended, in the order in which it came.

use crate::{
    error::SubjectError,
    kept::{KEYS_STREAM, Kept, KeptError},
    keys::{self, Of, Subjects},
    personal::Personal,
    sealed,
    turns::{Turn, Turns},
};
use fairway_ledger::{Append, AppendError, Appended, Kind, LedgerError, Store, check};
use std::{future::poll_fn, panic::resume_unwind, pin::pin, sync::Arc, task::Poll};
use tokio::task::{JoinSet, coop::unconstrained};

type AppendResult = Result<Vec<Appended>, AppendError>;

/// Appends to a backend what was sealed. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Sealing {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) subjects: Subjects,
    kept: Arc<Kept>,
    /// Who is sealed faster does not overtake who came before.
    turns: Turns,
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

/// What is sealed, and what has to be true of the ledger for that, for the sake of an event of a kind.
struct Sealed {
    appends: Vec<Append>,
    condition: Option<(Append, Kind)>,
}

impl Sealing {
    pub(crate) fn new(inner: Arc<dyn Store>, subjects: Subjects) -> Self {
        Self { inner, subjects, kept: Arc::default(), turns: Turns::default() }
    }

    /// Appends after all for which this was called before.
    pub(crate) async fn append(&self, appends: Vec<Append>) -> AppendResult {
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

    async fn append_in_turn(
        self,
        turn: Turn,
        appends: Vec<Append>,
        found: Vec<Found>,
    ) -> AppendResult {
        let Sealed { mut appends, condition } = self.seal(appends, found).await?;
        turn.come().await;
        let Some((condition, kind)) = condition else {
            return self.hand_on(turn, appends).await;
        };
        appends.push(condition);
        match self.hand_on(turn, appends).await {
            Ok(mut appended) => {
                appended.pop();
                Ok(appended)
            }
            Err(AppendError::Conflict { stream, .. }) if stream.as_str() == KEYS_STREAM => {
                let error = self.kept.broken(&*self.inner, &self.subjects).await;
                Err(self.failed(&kind, error))
            }
            Err(error) => Err(error),
        }
    }

    /// The turn is over as soon as the store has queued the appends.
    async fn hand_on(&self, turn: Turn, appends: Vec<Append>) -> AppendResult {
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
    ) -> Result<Sealed, AppendError> {
        let Some(first) = found.first() else { return Ok(Sealed { appends, condition: None }) };
        let kind = appends[first.append].events[first.event].kind.clone();
        let failed = |error| self.failed(&kind, error);
        let of = |found: &Found| (appends[found.append].stream.clone(), found.of.subject.clone());
        let (open, sealed): (Vec<Found>, Vec<Found>) =
            found.into_iter().partition(|found| found.is_open);
        let (wanted, noted): (Of, Of) =
            (open.iter().map(of).collect(), sealed.iter().map(of).collect());
        if !noted.is_empty() {
            self.note(noted).await.map_err(failed)?;
        }
        if open.is_empty() {
            return Ok(Sealed { appends, condition: None });
        }
        let (keys, condition) = self.keys_for(wanted).await.map_err(failed)?;
        for Found { append, event, of, .. } in open {
            let event = &mut appends[append].events[event];
            let data = sealed::seal(&event.data, &of, &keys[&of.subject]);
            event.data = data.map_err(|error| failed(error.into()))?;
        }
        Ok(Sealed { appends, condition: Some((condition, kind)) })
    }

    /// The keys to seal with, and what has to be true of the ledger for that.
    async fn keys_for(&self, wanted: Of) -> Result<(keys::Found, Append), KeptError> {
        let (id, condition) = self.kept.condition(&*self.inner, &self.subjects).await?;
        let (found, keys) = self.subjects.0.keys_for(wanted).await?;
        if found == id {
            return Ok((keys, condition));
        }
        Err(self.kept.broken(&*self.inner, &self.subjects).await)
    }

    /// Takes in what was sealed before. A ledger without keys has these, if they open any of it.
    async fn note(&self, sealed: Of) -> Result<(), KeptError> {
        if !self.subjects.0.note(sealed).await? {
            return Ok(());
        }
        match self.kept.condition(&*self.inner, &self.subjects).await {
            Ok(_) | Err(KeptError::Subject(SubjectError::OtherKeys)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn failed(&self, kind: &Kind, error: KeptError) -> AppendError {
        match error {
            KeptError::Ledger(error) => error,
            KeptError::Subject(
                error @ (SubjectError::Malformed(_)
                | SubjectError::NotJson
                | SubjectError::OtherKeys),
            ) => unfit(kind, error),
            KeptError::Subject(error) => error.of(&*self.inner).into(),
        }
    }
}

fn personal_events(appends: &[Append]) -> Result<Vec<Found>, AppendError> {
    let mut found = Vec::new();
    for (append, of_stream) in appends.iter().enumerate() {
        for (index, event) in of_stream.events.iter().enumerate() {
            let personal = Personal::of(&event.metadata);
            let personal = personal.map_err(|error| unfit(&event.kind, error))?;
            let Some(of) = personal else { continue };
            let is_open = sealed::has_open(&event.data, &of);
            let is_open = is_open.map_err(|error| unfit(&event.kind, error))?;
            found.push(Found { append, event: index, of, is_open });
        }
    }
    Ok(found)
}

/// Personal data that cannot be sealed.
fn unfit(kind: &Kind, error: SubjectError) -> AppendError {
    AppendError::Personal { kind: kind.clone(), source: Arc::new(error) }
}
