//! Which keys a ledger's personal data are sealed with: a fact in the ledger. So nobody seals with keys
//! that others do not have, or takes a subject for forgotten whose key is elsewhere.

use crate::{
    error::SubjectError,
    keys::{KeysId, Subjects},
};
use fairway_ledger::{
    Append, AppendError, Expected, From as Start, Ledger, LedgerError, NewEvent, Read, Scope,
    Store, StreamName, Version,
};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The stream that says which keys a ledger's personal data are sealed with. It has no other events,
/// so that its version says whether that changed.
pub const KEYS_STREAM: &str = "$subject-keys";
/// The kind of its events; their data name the id of the `keys` that are used from then on.
pub const KEPT_KIND: &str = "subjects-kept";

#[derive(Debug, Serialize, Deserialize)]
struct KeptBy {
    keys: KeysId,
}

/// What a ledger says.
#[derive(Debug)]
pub(crate) struct Said {
    /// The keys; none if nothing personal was ever sealed in it.
    keys: Option<KeysId>,
    version: Version,
}

/// Why it is not known, or not as wanted, by which keys a ledger's personal data are sealed.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The keys are not the ledger's, or cannot be used.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] AppendError),
}

impl From<LedgerError> for KeptError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error.into())
    }
}

/// Lets a ledger's personal data be sealed with these keys from now on, and with no others: those
/// from before are lost. What was sealed with them stays unreadable here. False if they are the
/// ledger's keys already.
pub async fn adopt(ledger: &Ledger, subjects: &Subjects) -> Result<bool, KeptError> {
    let keys = subjects.0.id().await?;
    loop {
        let said = said(&**ledger.store()).await?;
        if said.keys.as_ref() == Some(&keys) {
            return Ok(false);
        }
        if tell(&**ledger.store(), &keys, said.version).await?.is_some() {
            return Ok(true);
        }
    }
}

/// Whether a ledger's personal data are sealed with other keys than these.
pub async fn is_kept_by_others(ledger: &Ledger, subjects: &Subjects) -> Result<bool, KeptError> {
    match assert_own(&**ledger.store(), subjects).await {
        Ok(()) => Ok(false),
        Err(KeptError::Subject(SubjectError::OtherKeys)) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Fails if a ledger's personal data are sealed with other keys than these.
pub(crate) async fn assert_own(store: &dyn Store, subjects: &Subjects) -> Result<(), KeptError> {
    Ok(said(store).await?.assert_own(subjects).await?)
}

impl Said {
    /// Fails if the ledger has other keys than these.
    pub(crate) async fn assert_own(&self, subjects: &Subjects) -> Result<(), SubjectError> {
        if self.keys.is_none() || subjects.0.find_id().await? == self.keys {
            return Ok(());
        }
        Err(SubjectError::OtherKeys)
    }
}

/// What a ledger was found to say, for those who seal in it.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Option<(KeysId, Version)>>);

impl Kept {
    /// The keys to seal with, and what has to be true of the ledger as long as they are the ones. A
    /// ledger without keys is told of these.
    pub(crate) async fn condition(
        &self,
        store: &dyn Store,
        subjects: &Subjects,
    ) -> Result<(KeysId, Append), KeptError> {
        let known = self.known().clone();
        let (keys, version) = if let Some(found) = known {
            found
        } else {
            // Many at once find out the same; none waits for the others' tries.
            let found = claim(store, subjects).await?;
            self.known().insert(found).clone()
        };
        let expected = Expected::Exact(version);
        Ok((keys, Append { stream: stream(), expected, events: Vec::new() }))
    }

    /// Why the condition does not hold any more.
    pub(crate) async fn broken(&self, store: &dyn Store, subjects: &Subjects) -> KeptError {
        *self.known() = None;
        match assert_own(store, subjects).await {
            Ok(()) => SubjectError::Replaced.into(),
            Err(error) => error,
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<(KeysId, Version)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ledger's keys, which are these, and the version of the stream that says so.
async fn claim(store: &dyn Store, subjects: &Subjects) -> Result<(KeysId, Version), KeptError> {
    loop {
        let said = said(store).await?;
        said.assert_own(subjects).await?;
        if let Some(keys) = said.keys {
            return Ok((keys, said.version));
        }
        let keys = subjects.0.id().await?;
        if let Some(version) = tell(store, &keys, said.version).await? {
            return Ok((keys, version));
        }
    }
}

/// Tells the ledger of its keys; none if somebody else did so meanwhile.
async fn tell(
    store: &dyn Store,
    keys: &KeysId,
    after: Version,
) -> Result<Option<Version>, AppendError> {
    let event = NewEvent::new(KEPT_KIND, &KeptBy { keys: keys.clone() });
    let events = vec![event.expect("a text is JSON")];
    let append = Append { stream: stream(), expected: Expected::Exact(after), events };
    match store.append(vec![append]).await {
        Ok(appended) => Ok(Some(appended[0].version)),
        Err(AppendError::Conflict { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a ledger says now.
pub(crate) async fn said(store: &dyn Store) -> Result<Said, LedgerError> {
    // Looked at first, so that what is told meanwhile is not taken for what was found to say nothing.
    let before = store.stream(&stream()).await?.version;
    let last = Read::new(Scope::Stream(stream(), Start::Before(Version::END)), 1);
    let last = store.read(last).await?.pop();
    let keys = last.as_ref().and_then(|event| event.decode::<KeptBy>().ok());
    let version = last.map_or(before, |event| event.version);
    Ok(Said { keys: keys.map(|kept| kept.keys), version })
}

fn stream() -> StreamName {
    StreamName::trusted(KEYS_STREAM)
}
