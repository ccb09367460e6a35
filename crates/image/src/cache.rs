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

/// What an instruction did to the files of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Effect {
    /// It made a layer.
    Layer(Layer),
    /// It changed none.
    Nothing,
}

impl Effect {
    pub(crate) fn layer(self) -> Option<Layer> {
        match self {
            Self::Layer(layer) => Some(layer),
            Self::Nothing => None,
        }
    }
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

    /// What an instruction with this key did, if its layer is still here.
    pub(crate) fn effect(&self, key: &Digest) -> Result<Option<Effect>, BuildError> {
        let known: Option<Effect> = self.read(key)?;
        let is_here = |layer: Layer| self.layers.contains(&layer.diff_id);
        Ok(known.filter(|effect| effect.layer().is_none_or(is_here)))
    }

    pub(crate) fn keep(&self, key: &Digest, effect: Effect) -> Result<(), BuildError> {
        self.write(key, &effect)
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
