//! The directory of secrets: one file per environment, one key, one lock.

use crate::{error::SecretError, file, key::Key, masker::Masker, value::SecretValue};
use base64::{Engine, prelude::BASE64_STANDARD};
use fairway_model::{EnvironmentName, SecretName, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt, fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Most secrets of an environment.
pub const SECRETS_MAX: usize = 1000;

const SCHEMA: u32 = 1;

/// The secrets of all environments, in a directory. Cheap to clone; any number of processes may use
/// one directory at once. All calls block, for a moment.
#[derive(Debug, Clone)]
pub struct Secrets {
    dir: PathBuf,
}

/// How often a secret was set. It goes on counting when a secret is removed and set again.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SecretVersion(pub u64);

impl fmt::Display for SecretVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What may be told of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretInfo {
    /// Its name.
    pub name: SecretName,
    /// How often it was set.
    pub version: SecretVersion,
    /// When it was set last.
    pub set_at: Timestamp,
}

/// The file of an environment.
#[derive(Serialize, Deserialize)]
struct Environment {
    schema: u32,
    secrets: BTreeMap<SecretName, Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    version: SecretVersion,
    set_at: Timestamp,
    /// Nonce and ciphertext in base64; none once the secret is removed.
    sealed: Option<String>,
}

impl Secrets {
    /// Opens the secrets in a directory, which is made if it is not there.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, SecretError> {
        let dir = dir.into();
        let mut builder = fs::DirBuilder::new();
        let created = builder.recursive(true).mode(0o700).create(&dir);
        created.map_err(SecretError::io("create", &dir))?;
        Ok(Self { dir })
    }

    /// Sets a secret and says which version this is. It is on disk when this returns.
    pub fn set(
        &self,
        environment: &EnvironmentName,
        name: &SecretName,
        value: &SecretValue,
        now: Timestamp,
    ) -> Result<SecretVersion, SecretError> {
        let _lock = file::lock(&self.dir)?;
        let mut stored = self.read(environment)?;
        let key = self.key_to_write()?;
        let last = stored.secrets.get(name).map(|entry| entry.version).unwrap_or_default();
        let version = SecretVersion(last.0 + 1);
        let sealed = key.seal(value, &context(environment, name, version))?;
        let sealed = Some(BASE64_STANDARD.encode(sealed));
        stored.secrets.insert(name.clone(), Entry { version, set_at: now, sealed });
        if stored.secrets.len() > SECRETS_MAX {
            return Err(SecretError::TooMany);
        }
        self.write(environment, &stored)?;
        Ok(version)
    }

    /// The value and version of a secret; `None` if it is not set.
    pub fn get(
        &self,
        environment: &EnvironmentName,
        name: &SecretName,
    ) -> Result<Option<(SecretValue, SecretVersion)>, SecretError> {
        let mut stored = self.read(environment)?;
        let Some(Entry { version, sealed: Some(sealed), .. }) = stored.secrets.remove(name) else {
            return Ok(None);
        };
        let path = self.key_path();
        let key = Key::read(&path)?.ok_or(SecretError::KeyMissing(path))?;
        let opened = BASE64_STANDARD
            .decode(sealed)
            .ok()
            .and_then(|sealed| key.open(&sealed, &context(environment, name, version)));
        let (environment, name) = (environment.clone(), name.clone());
        let value = opened.ok_or(SecretError::Undecryptable { environment, name })?;
        Ok(Some((value, version)))
    }

    /// The secrets of an environment, by name.
    pub fn list(&self, environment: &EnvironmentName) -> Result<Vec<SecretInfo>, SecretError> {
        let stored = self.read(environment)?.secrets.into_iter();
        let is_set = |(_, entry): &(SecretName, Entry)| entry.sealed.is_some();
        let info = |(name, Entry { version, set_at, .. })| SecretInfo { name, version, set_at };
        Ok(stored.filter(is_set).map(info).collect())
    }

    /// A masker of all secrets of an environment.
    pub fn masker(&self, environment: &EnvironmentName) -> Result<Masker, SecretError> {
        let mut values = Vec::new();
        for SecretInfo { name, .. } in self.list(environment)? {
            values.extend(self.get(environment, &name)?.map(|(value, _)| value));
        }
        Ok(Masker::new(&values))
    }

    /// Removes a secret's value; `None` if it was not set.
    pub fn remove(
        &self,
        environment: &EnvironmentName,
        name: &SecretName,
    ) -> Result<Option<SecretVersion>, SecretError> {
        let _lock = file::lock(&self.dir)?;
        let mut stored = self.read(environment)?;
        let Some(entry) = stored.secrets.get_mut(name) else { return Ok(None) };
        if entry.sealed.take().is_none() {
            return Ok(None);
        }
        let version = entry.version;
        self.write(environment, &stored)?;
        Ok(Some(version))
    }

    /// The key; made with the first secret, but never beside secrets that another key encrypted.
    fn key_to_write(&self) -> Result<Key, SecretError> {
        let path = self.key_path();
        if let Some(key) = Key::read(&path)? {
            return Ok(key);
        }
        let entries = fs::read_dir(&self.dir).map_err(SecretError::io("read", &self.dir))?;
        for entry in entries {
            let entry = entry.map_err(SecretError::io("read", &self.dir))?;
            if entry.path().extension().is_some_and(|extension| extension == "json") {
                return Err(SecretError::KeyMissing(path));
            }
        }
        Key::create(&path)
    }

    fn key_path(&self) -> PathBuf {
        self.dir.join("key")
    }

    fn path(&self, environment: &EnvironmentName) -> PathBuf {
        self.dir.join(format!("{environment}.json"))
    }

    fn read(&self, environment: &EnvironmentName) -> Result<Environment, SecretError> {
        let path = self.path(environment);
        let Some(bytes) = file::read(&path)? else {
            return Ok(Environment { schema: SCHEMA, secrets: BTreeMap::new() });
        };
        parse(&bytes, &path)
    }

    fn write(
        &self,
        environment: &EnvironmentName,
        stored: &Environment,
    ) -> Result<(), SecretError> {
        let path = self.path(environment);
        let bytes = serde_json::to_vec_pretty(stored);
        file::replace(&path, &bytes.expect("names, numbers and base64 are JSON"))
    }
}

fn parse(bytes: &[u8], path: &Path) -> Result<Environment, SecretError> {
    #[derive(Deserialize)]
    struct Header {
        schema: u32,
    }
    let damaged = |source| SecretError::Damaged { path: path.to_owned(), source };
    let Header { schema } = serde_json::from_slice(bytes).map_err(damaged)?;
    if schema > SCHEMA {
        return Err(SecretError::Newer(path.to_owned()));
    }
    serde_json::from_slice(bytes).map_err(damaged)
}

/// What a value is bound to, so that it cannot be moved to another place.
fn context(environment: &EnvironmentName, name: &SecretName, version: SecretVersion) -> Vec<u8> {
    format!("fairway-secret 1\0{environment}\0{name}\0{version}").into_bytes()
}
