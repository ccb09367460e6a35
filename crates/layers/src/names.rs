//! Which image a name stands for: one file per name, replaced as a whole.

use crate::{error::LayerError, store::Layers};
use fairway_model::{Digest, ImageRef};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// The names of images.
#[derive(Debug, Clone)]
pub struct ImageNames {
    dir: PathBuf,
}

/// A name and the image it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedImage {
    /// What a user calls it.
    pub name: ImageRef,
    /// The digest of its manifest.
    pub image: Digest,
}

impl Layers {
    /// The names of the images here.
    pub fn names(&self) -> ImageNames {
        ImageNames { dir: self.dir().join("names") }
    }

    /// The image that a reference stands for, if it is here. A reference with a digest stands for
    /// that image under any name.
    pub fn resolve(&self, reference: &ImageRef) -> Result<Option<Digest>, LayerError> {
        match reference.digest {
            Some(digest) => Ok(self.blobs().contains(&digest).then_some(digest)),
            None => self.names().get(reference),
        }
    }
}

impl ImageNames {
    /// The image that a name stands for.
    pub fn get(&self, name: &ImageRef) -> Result<Option<Digest>, LayerError> {
        Ok(read(&self.path(name))?.map(|named| named.image))
    }

    /// Lets a name stand for an image from now on.
    pub fn set(&self, name: &ImageRef, image: &Digest) -> Result<(), LayerError> {
        let path = self.path(name);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let new = self.dir.join(format!("{}-{number}.new", std::process::id()));
        let named = NamedImage { name: name.clone(), image: *image };
        let text = serde_json::to_vec(&named).expect("a name has text keys only");
        let written = write_synced(&new, &text).and_then(|()| fs::rename(&new, &path));
        written.map_err(|error| {
            drop(fs::remove_file(&new));
            LayerError::io("write", &path, error)
        })
    }

    /// Forgets a name; the image stays. False if there is no such name.
    pub fn remove(&self, name: &ImageRef) -> Result<bool, LayerError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(LayerError::io("remove", &path, error)),
        }
    }

    /// All names, sorted.
    pub fn list(&self) -> Result<Vec<NamedImage>, LayerError> {
        let failure = |error| LayerError::io("read", &self.dir, error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(failure)? {
            let path = entry.map_err(failure)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                names.extend(read(&path)?);
            }
        }
        names.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(names)
    }

    /// A name may be longer than a file name, so its digest names the file.
    fn path(&self, name: &ImageRef) -> PathBuf {
        self.dir.join(format!("{}.json", Digest::of(name.to_string()).hex()))
    }
}

fn read(path: &Path) -> Result<Option<NamedImage>, LayerError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LayerError::io("read", path, error)),
    };
    let named = serde_json::from_slice(&text).map_err(io::Error::from);
    named.map(Some).map_err(|error| LayerError::io("read", path, error))
}

fn write_synced(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text)?;
    file.sync_data()
}
