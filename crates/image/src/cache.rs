//! Which layer an instruction made before, by the digest of all that it depends on.

use crate::error::BuildError;
use fairway_layers::{Layer, Layers};
use fairway_model::{Digest, Hasher};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Changes when the same instruction makes other layers than before.
const RECIPE: &str = "fairway-build 1";

static COUNT: AtomicU64 = AtomicU64::new(0);

/// All that the result of an instruction depends on.
pub(crate) struct Key(Hasher);

impl Key {
    /// Starts a key of one kind of instruction on top of layers.
    pub(crate) fn new(kind: &str, below: &[Layer]) -> Self {
        let mut key = Self(Hasher::new()).text(RECIPE).text(kind).number(below.len() as u64);
        for layer in below {
            key.0.update(layer.diff_id.as_bytes());
        }
        key
    }

    pub(crate) fn text(mut self, text: impl AsRef<[u8]>) -> Self {
        self.0.field(text);
        self
    }

    pub(crate) fn number(mut self, number: u64) -> Self {
        self.0.field(number.to_le_bytes());
        self
    }

    /// Texts with their number, so that two lists cannot run into each other.
    pub(crate) fn list(self, texts: impl ExactSizeIterator<Item = impl AsRef<[u8]>>) -> Self {
        let counted = self.number(texts.len() as u64);
        texts.fold(counted, Key::text)
    }

    pub(crate) fn finish(self) -> Digest {
        self.0.finish()
    }
}

/// What was made before: one small file per key.
#[derive(Debug, Clone)]
pub(crate) struct BuildCache {
    dir: PathBuf,
    layers: Layers,
}

#[derive(Serialize, Deserialize)]
struct Made<T> {
    made: T,
}

impl BuildCache {
    pub(crate) fn open(dir: &Path, layers: Layers) -> Result<Self, BuildError> {
        fs::create_dir_all(dir).map_err(|error| BuildError::io("create", dir, error))?;
        Ok(Self { dir: dir.to_owned(), layers })
    }

    /// The layer of a key, if it is still here. The inner value is `None` for an instruction that
    /// changed no file.
    pub(crate) fn layer(&self, key: &Digest) -> Result<Option<Option<Layer>>, BuildError> {
        let made: Option<Option<Layer>> = self.read(key)?;
        let is_here = |layer: &Layer| self.layers.contains(&layer.diff_id);
        Ok(made.filter(|layer| layer.as_ref().is_none_or(is_here)))
    }

    pub(crate) fn keep_layer(&self, key: &Digest, layer: Option<Layer>) -> Result<(), BuildError> {
        self.write(key, &layer)
    }

    /// The image of a key, if all of it is still here.
    pub(crate) fn image(&self, key: &Digest) -> Result<Option<Digest>, BuildError> {
        let made: Option<Digest> = self.read(key)?;
        Ok(made.filter(|image| self.layers.image(image).is_ok()))
    }

    pub(crate) fn keep_image(&self, key: &Digest, image: &Digest) -> Result<(), BuildError> {
        self.write(key, image)
    }

    fn path(&self, key: &Digest) -> PathBuf {
        self.dir.join(format!("{}.json", key.hex()))
    }

    /// What cannot be read was not made.
    fn read<T: DeserializeOwned>(&self, key: &Digest) -> Result<Option<T>, BuildError> {
        let path = self.path(key);
        match fs::read(&path) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok().map(|Made { made }| made)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BuildError::io("read", &path, error)),
        }
    }

    fn write<T: Serialize>(&self, key: &Digest, made: &T) -> Result<(), BuildError> {
        let path = self.path(key);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let new = self.dir.join(format!("{}-{number}.new", std::process::id()));
        let text = serde_json::to_vec(&Made { made }).expect("layers and digests are plain data");
        let written = fs::write(&new, text).and_then(|()| fs::rename(&new, &path));
        written.map_err(|error| {
            drop(fs::remove_file(&new));
            BuildError::io("write", &path, error)
        })
    }
}
