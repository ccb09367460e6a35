//! A small image made of single files.

use crate::{config::ImageConfig, error::LayerError, store::Layers};
use fairway_model::Digest;
use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

/// What is to be at a path of a new image.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Where, relative to the root. Directories above are made.
    pub path: PathBuf,
    /// What.
    pub content: Content,
}

/// What is to be at a path of a new image.
#[derive(Debug, Clone)]
pub enum Content {
    /// A directory with these permissions.
    Directory(u32),
    /// A copy of a file of this machine, with its permissions.
    Copy(PathBuf),
    /// A file of these bytes and permissions.
    Bytes(Vec<u8>, u32),
    /// A symbolic link.
    Link(PathBuf),
}

impl NewFile {
    /// Something at a path.
    pub fn new(path: impl Into<PathBuf>, content: Content) -> Self {
        Self { path: path.into(), content }
    }
}

impl Layers {
    /// Makes an image of one layer with these files, all owned by root.
    pub fn image_of_files(
        &self,
        config: ImageConfig,
        files: &[NewFile],
    ) -> Result<Digest, LayerError> {
        let draft = self.draft()?;
        for file in files {
            let path = draft.upper().join(file.path.strip_prefix("/").unwrap_or(&file.path));
            write(&path, &file.content).map_err(|error| LayerError::io("write", &path, error))?;
        }
        let layer = self.commit(&draft.upper())?;
        self.assemble(config, &[layer])
    }
}

fn write(path: &Path, content: &Content) -> io::Result<()> {
    fs::create_dir_all(path.parent().expect("a file of an image is below its root"))?;
    match content {
        Content::Directory(mode) => {
            fs::create_dir_all(path)?;
            fs::set_permissions(path, Permissions::from_mode(*mode))
        }
        Content::Copy(from) => fs::copy(from, path).map(drop),
        Content::Bytes(bytes, mode) => {
            fs::write(path, bytes)?;
            fs::set_permissions(path, Permissions::from_mode(*mode))
        }
        Content::Link(target) => symlink(target, path),
    }
}
