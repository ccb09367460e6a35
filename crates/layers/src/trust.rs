//! Whether a layer's files are those its digest names after the machine went down.
//!
//! Making a layer does not wait for the disk: builds would take several times as long. So a power
//! failure can leave a layer's directory with files cut short. Each new layer is marked with the
//! boot in which it was made; a layer with the mark of another boot is digested again before it is
//! first used, and is made anew if it is damaged.

use crate::{
    draft::remove_tree,
    error::LayerError,
    pack::pack,
    store::{Layers, Tee},
};
use fairway_model::{Digest, Hasher};
use std::{fs, io, path::PathBuf};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

impl Layers {
    /// Whether the directory of a layer is here and whole.
    pub fn contains(&self, diff_id: &Digest) -> bool {
        self.is_whole(diff_id).unwrap_or(false)
    }

    /// Marks a layer before it gets its name, so that one without a mark is on disk.
    pub(crate) fn mark(&self, diff_id: &Digest) -> Result<(), LayerError> {
        let (mark, boot) = (self.mark_path(diff_id), boot_id()?);
        fs::write(&mark, boot).map_err(|error| LayerError::io("write", &mark, error))
    }

    /// Like [`Layers::contains`]. A damaged layer is removed.
    pub(crate) fn is_whole(&self, diff_id: &Digest) -> Result<bool, LayerError> {
        let path = self.path(diff_id);
        if !path.is_dir() {
            return Ok(false);
        }
        if self.is_trusted(diff_id)? {
            return Ok(true);
        }
        let _lock = self.lock(&path)?;
        if !path.is_dir() || self.is_trusted(diff_id)? {
            return Ok(path.is_dir());
        }
        let mut digested = Tee { out: io::sink(), hasher: Hasher::new(), size: 0 };
        pack(&path, &mut digested)?;
        let is_whole = digested.hasher.finish() == *diff_id;
        if !is_whole {
            remove_tree(&path)?;
        }
        let mark = self.mark_path(diff_id);
        fs::remove_file(&mark).map_err(|error| LayerError::io("remove", &mark, error))?;
        Ok(is_whole)
    }

    fn is_trusted(&self, diff_id: &Digest) -> Result<bool, LayerError> {
        let mark = self.mark_path(diff_id);
        match fs::read(&mark) {
            Ok(boot) => Ok(boot == boot_id()?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(LayerError::io("read", &mark, error)),
        }
    }

    fn mark_path(&self, diff_id: &Digest) -> PathBuf {
        let layer = self.path(diff_id);
        self.dir().join("marks").join(layer.file_name().expect("a layer's directory has a name"))
    }
}

fn boot_id() -> Result<Vec<u8>, LayerError> {
    fs::read(BOOT_ID).map_err(|error| LayerError::io("read", BOOT_ID.as_ref(), error))
}
