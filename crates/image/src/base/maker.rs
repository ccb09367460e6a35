//! Makes bases, each after those it is made of.

use super::bases::{BaseSource, Bases};
use crate::{
    build::blocking,
    error::BuildError,
    event::{BuildEvent, Events},
    images::{BuildRequest, Images},
    root::LazyRoot,
};
use fairway_model::{Diagnostic, Digest, ImageRef, TreeDigest};
use rustix::fs::FlockOperation;
use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
};

/// Finds and makes images for one task.
pub(crate) struct Maker<'a> {
    pub(crate) all: &'a Images,
    pub(crate) events: &'a Events,
    pub(crate) root: LazyRoot,
    bases: &'a Bases,
    /// Images that were found or made for this task.
    known: BTreeMap<ImageRef, Digest>,
    /// Bases that are being made, each for the one before it.
    pub(crate) open: Vec<ImageRef>,
}

impl<'a> Maker<'a> {
    pub(crate) fn new(all: &'a Images, bases: &'a Bases, events: &'a Events) -> Self {
        let root = LazyRoot::new(all.engine.clone());
        Self { all, events, root, bases, known: BTreeMap::new(), open: Vec::new() }
    }

    pub(crate) async fn close(self) -> Result<(), BuildError> {
        self.root.close().await
    }

    /// Finds an image, and makes it first if it is a base. `at` is where it is used.
    pub(crate) async fn image(
        &mut self,
        name: &ImageRef,
        at: Option<Diagnostic>,
    ) -> Result<Digest, BuildError> {
        if let Some(known) = self.known.get(name) {
            return Ok(*known);
        }
        let image = match self.bases.0.get(name).cloned() {
            Some(source) => self.base(name, source).await?,
            None => self.all.layers.resolve(name)?.ok_or_else(|| BuildError::NoImage {
                name: name.clone(),
                at: at.map(Box::new),
                known: self.bases.0.keys().cloned().collect(),
            })?,
        };
        self.known.insert(name.clone(), image);
        Ok(image)
    }

    async fn base(&mut self, name: &ImageRef, source: BaseSource) -> Result<Digest, BuildError> {
        if let Some(start) = self.open.iter().position(|open| open == name) {
            let mut cycle = self.open[start..].to_vec();
            cycle.push(name.clone());
            return Err(BuildError::Cycle(cycle));
        }
        self.open.push(name.clone());
        let image = match source {
            BaseSource::Debian { suite, packages } => self.debian(name, suite, packages).await?,
            // A base may be made of a base.
            BaseSource::Dockerfile { folder, context } => {
                Box::pin(self.dockerfile(name, &folder, context)).await?
            }
        };
        self.open.pop();
        let names = self.all.layers.names();
        if names.get(name)? != Some(image) {
            names.set(name, &image)?;
        }
        Ok(image)
    }

    async fn debian(
        &mut self,
        name: &ImageRef,
        suite: String,
        packages: Vec<String>,
    ) -> Result<Digest, BuildError> {
        let recipe = super::debian::Recipe::new(suite, packages)?;
        let key = recipe.key();
        if let Some(image) = self.all.cache.image(&key)? {
            return Ok(image);
        }
        let _lock = self.lock(name).await?;
        // Who held the lock may have made it.
        if let Some(image) = self.all.cache.image(&key)? {
            return Ok(image);
        }
        self.events.send(BuildEvent::Base(name.clone()));
        let image = recipe.make(&self.all.layers, self.events).await?;
        self.all.cache.keep_image(&key, &image)?;
        Ok(image)
    }

    async fn dockerfile(
        &mut self,
        name: &ImageRef,
        folder: &str,
        context: TreeDigest,
    ) -> Result<Digest, BuildError> {
        let request = BuildRequest {
            tree: context,
            dockerfile: "Dockerfile".to_owned(),
            shown: Path::new(folder).join("Dockerfile").to_string_lossy().into_owned(),
            target: None,
            args: BTreeMap::new(),
        };
        let _lock = self.lock(name).await?;
        Ok(self.build(&request).await?.image)
    }

    /// Waits until no other process makes this base.
    async fn lock(&self, name: &ImageRef) -> Result<File, BuildError> {
        let name = Digest::of(name.to_string()).hex();
        let path: PathBuf = self.all.layers.dir().join("locks").join(format!("base-{name}"));
        blocking(move || {
            let failure = |error: std::io::Error| BuildError::io("lock", &path, error);
            let file = File::create(&path).map_err(failure)?;
            rustix::fs::flock(&file, FlockOperation::LockExclusive)
                .map_err(|error| failure(error.into()))?;
            Ok(file)
        })
        .await
    }
}
