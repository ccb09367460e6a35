//! The keys of subjects, wherever they are.

use crate::{
    error::SubjectError,
    key::{Key, random},
    keys_file::KeysFile,
    keys_server::KeysServer,
};
use async_trait::async_trait;
use fairway_ledger::StreamName;
use fairway_ledger_postgres::AddressError;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    sync::Arc,
};

/// Tells keys from other keys: a random number that they got when their place was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeysId(pub(crate) String);

impl KeysId {
    pub(crate) fn generate() -> Result<Self, SubjectError> {
        let bytes: [u8; 16] = random()?;
        Ok(Self(bytes.map(|byte| format!("{byte:02x}")).concat()))
    }
}

/// The keys of subjects. Cheap to clone; its methods need a Tokio runtime.
#[derive(Debug, Clone)]
pub struct Subjects(pub(crate) Arc<dyn Keys>);

impl Subjects {
    /// The keys in a file, which is made with the first one.
    pub fn new(path: &Path) -> Self {
        Self(Arc::new(KeysFile::new(path)))
    }

    /// The keys in a database of PostgreSQL, in a schema that is made with the first one:
    /// `fairway_subjects`, unless the address has the option `schema`. Connects when it has to.
    pub fn in_postgres(url: &str) -> Result<Self, AddressError> {
        Ok(Self(Arc::new(KeysServer::new(url)?)))
    }

    /// Where they are, without secrets: a path or an address.
    pub fn place(&self) -> String {
        self.0.place()
    }

    /// Removes the key of a subject for ever; false if there is none. What was sealed with it is
    /// lost when this returns, and what was not stays. The ledger is not told: see
    /// [`crate::forget`].
    pub async fn forget(&self, subject: &str) -> Result<bool, SubjectError> {
        self.0.forget(subject).await
    }
}

/// Streams, and subjects of whom they have personal data.
pub(crate) type Of = BTreeSet<(StreamName, String)>;

/// The keys that were found, by subject.
pub(crate) type Found = BTreeMap<String, Key>;

/// What is done about a place of keys that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    IsMade,
    IsLeft,
}

/// A place of keys. All who use it see at once what another does.
#[async_trait]
pub(crate) trait Keys: fmt::Debug + Send + Sync {
    /// Where they are, without secrets.
    fn place(&self) -> String;

    /// The id of the keys; none if their place is not made yet.
    async fn find_id(&self) -> Result<Option<KeysId>, SubjectError>;

    /// The id of the keys. Makes their place.
    async fn id(&self) -> Result<KeysId, SubjectError>;

    /// The keys of subjects, made where there is none, for events of some streams. Makes their
    /// place. Also says whose keys these are.
    async fn keys_for(&self, wanted: Of) -> Result<(KeysId, Found), SubjectError>;

    /// Notes of which subjects streams have personal data that were sealed before. Those who are
    /// forgotten stay so. Whether there is a key of any.
    async fn note(&self, sealed: Of) -> Result<bool, SubjectError>;

    /// Those keys of subjects that are not forgotten.
    async fn keys(&self, subjects: BTreeSet<String>) -> Result<Found, SubjectError>;

    /// The keys of those subjects of whom a stream has personal data.
    async fn keys_of(&self, stream: &StreamName) -> Result<Found, SubjectError>;

    /// Removes the key of a subject; false if there is none.
    async fn forget(&self, subject: &str) -> Result<bool, SubjectError>;
}
