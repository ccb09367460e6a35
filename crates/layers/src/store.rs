//! The directory of layers.

use crate::{
    draft::{self, Draft},
    error::LayerError,
    image::Layer,
    pack::pack,
    unpack::{Whiteouts, unpack},
};
use fairway_blobs::Blobs;
use fairway_model::{Digest, Hasher};
use rustix::{
    fs::{CWD, FlockOperation, RenameFlags},
    io::Errno,
};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{self, Path, PathBuf},
    sync::Arc,
};

/// How many hexadecimal digits of a layer's digest name its directory: 128 bits, short enough for
/// an overlay mount of [`crate::LAYERS_MAX`] layers.
const NAME_DIGITS: usize = 32;

/// Images and their layers. Cheap to clone; any number of processes may use one directory at once.
#[derive(Debug, Clone)]
pub struct Layers {
    dir: Arc<Path>,
    blobs: Blobs,
}

impl Layers {
    /// Opens the images in a directory, which is made if it is not there. Manifests and
    /// configurations are in `blobs`.
    pub fn open(dir: impl Into<PathBuf>, blobs: Blobs) -> Result<Self, LayerError> {
        let dir = dir.into();
        // Mounts are made from other working directories.
        let dir = path::absolute(&dir).map_err(|error| LayerError::io("find", &dir, error))?;
        let layers = Self { dir: dir.into(), blobs };
        for name in ["drafts", "locks", "marks", "names"] {
            let dir = layers.dir.join(name);
            fs::create_dir_all(&dir).map_err(|error| LayerError::io("create", &dir, error))?;
        }
        Ok(layers)
    }

    /// The directory that holds the directories of all layers.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where manifests, configurations and the tars of foreign layers are.
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Starts a layer.
    pub fn draft(&self) -> Result<Draft, LayerError> {
        Draft::new(&self.dir.join("drafts"))
    }

    /// Removes drafts of processes that were killed.
    pub fn sweep(&self) -> Result<(), LayerError> {
        draft::sweep(&self.dir.join("drafts"))
    }

    /// Takes any tar as a layer. It is kept as a directory only, so the layer's digest is that of
    /// the tar this crate would write.
    pub fn import(&self, tar: impl Read) -> Result<Layer, LayerError> {
        let draft = self.draft()?;
        unpack(tar, &draft.upper(), Whiteouts::Overlay)?;
        self.commit(&draft.upper())
    }

    /// Writes the tar of a layer, whose bytes are exactly those its digest names.
    pub fn write_tar(&self, layer: &Layer, mut out: impl Write) -> Result<(), LayerError> {
        let mut hasher = Tee { out: &mut out, hasher: Hasher::new(), size: 0 };
        if self.blobs.contains(&layer.diff_id) {
            let copied = io::copy(&mut self.blobs.open_blob(&layer.diff_id)?, &mut hasher);
            copied.map_err(|e| LayerError::io("copy", &self.blobs.path(&layer.diff_id), e))?;
        } else {
            pack(&self.directory(layer)?, &mut hasher)?;
        }
        if hasher.hasher.finish() == layer.diff_id {
            Ok(())
        } else {
            Err(LayerError::Damaged(layer.diff_id))
        }
    }

    /// The directory of a layer; unpacked first if only its tar is here.
    pub(crate) fn directory(&self, layer: &Layer) -> Result<PathBuf, LayerError> {
        let path = self.path(&layer.diff_id);
        if self.is_whole(&layer.diff_id)? {
            return Ok(path);
        }
        if !self.blobs.contains(&layer.diff_id) {
            return Err(LayerError::NoLayer(layer.diff_id));
        }
        let _lock = self.lock(&path)?;
        if !path.is_dir() {
            self.unpack_blob(&layer.diff_id)?;
        }
        Ok(path)
    }

    fn unpack_blob(&self, diff_id: &Digest) -> Result<(), LayerError> {
        self.blobs.verify(diff_id)?;
        let draft = self.draft()?;
        unpack(self.blobs.open_blob(diff_id)?, &draft.upper(), Whiteouts::Overlay)?;
        self.adopt(&draft.upper(), diff_id)
    }

    /// Makes a directory the directory of a layer, all at once. If another process was faster, its
    /// directory stays.
    pub(crate) fn adopt(&self, from: &Path, diff_id: &Digest) -> Result<(), LayerError> {
        let path = self.path(diff_id);
        if !path.is_dir() {
            self.mark(diff_id)?;
        }
        match rustix::fs::renameat_with(CWD, from, CWD, &path, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => draft::remove_tree(from),
            Err(error) => Err(LayerError::io("create", &path, error)),
        }
    }

    pub(crate) fn path(&self, diff_id: &Digest) -> PathBuf {
        self.dir.join(&diff_id.hex()[..NAME_DIGITS])
    }

    pub(crate) fn lock(&self, layer: &Path) -> Result<File, LayerError> {
        let name = layer.file_name().expect("a layer's directory has a name");
        let path = self.dir.join("locks").join(name);
        let file = File::create(&path).map_err(|error| LayerError::io("create", &path, error))?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)
            .map_err(|error| LayerError::io("lock", &path, error))?;
        Ok(file)
    }
}

/// Digests and counts what passes.
pub(crate) struct Tee<W> {
    pub(crate) out: W,
    pub(crate) hasher: Hasher,
    pub(crate) size: u64,
}

impl<W: Write> Write for Tee<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
