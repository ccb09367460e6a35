//! The images of a data directory: finds them, makes bases and builds Dockerfiles.

use crate::{
    base::{Bases, Maker},
    build::Builder,
    cache::{BuildCache, Key},
    context::Context,
    error::BuildError,
    event::{Built, Events},
    plan::Plan,
    scope::Globals,
};
use fairway_engine_embedded::Embedded;
use fairway_layers::{ImageConfig, Layers};
use fairway_model::{Digest, ImageRef, TreeDigest};
use std::{collections::BTreeMap, path::Path};

/// Images on this machine. Cheap to clone; any number of processes may use one data directory.
#[derive(Debug, Clone)]
pub struct Images {
    pub(crate) layers: Layers,
    pub(crate) cache: BuildCache,
    pub(crate) engine: Embedded,
}

/// What is to be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildRequest {
    /// A file tree with the Dockerfile in it.
    pub tree: TreeDigest,
    /// The Dockerfile in the tree; its folder is the build context.
    pub dockerfile: String,
    /// What messages call the Dockerfile: its path as the user knows it.
    pub shown: String,
    /// The stage to build, if not the last.
    pub target: Option<String>,
    /// Values for `ARG`.
    pub args: BTreeMap<String, String>,
}

/// A request that has been read: what it needs is known.
pub(crate) struct Prepared {
    context: Context,
    plan: Plan,
}

impl Images {
    /// Opens the images of an engine's data directory; `cache_dir` remembers what was built. What
    /// builds that were killed have left is removed.
    pub fn open(layers: Layers, cache_dir: &Path, engine: Embedded) -> Result<Self, BuildError> {
        layers.sweep()?;
        let cache = BuildCache::open(cache_dir, layers.clone())?;
        Ok(Self { layers, cache, engine })
    }

    /// Finds an image, and makes it first if it is one of the bases. An unchanged base costs
    /// milliseconds.
    pub async fn resolve(
        &self,
        name: &ImageRef,
        bases: &Bases,
        events: &Events,
    ) -> Result<Digest, BuildError> {
        let mut maker = Maker::new(self, bases, events);
        let image = maker.image(name, None).await;
        maker.close().await?;
        image
    }

    /// Builds an image. The bases it needs are made first.
    pub async fn build(
        &self,
        request: &BuildRequest,
        bases: &Bases,
        events: &Events,
    ) -> Result<Built, BuildError> {
        let mut maker = Maker::new(self, bases, events);
        let built = maker.build(request).await;
        maker.close().await?;
        built
    }

    /// All that the result of a build depends on, as one digest. Builds nothing, but the bases it
    /// needs are made.
    pub async fn fingerprint(
        &self,
        request: &BuildRequest,
        bases: &Bases,
        events: &Events,
    ) -> Result<Digest, BuildError> {
        let prepared = self.prepare(request)?;
        let mut maker = Maker::new(self, bases, events);
        let images = maker.images(&prepared).await;
        maker.close().await?;
        let images: Vec<_> =
            images?.into_iter().map(|(name, image)| format!("{name} {image}")).collect();
        let args: Vec<_> =
            request.args.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let key = Key::new("build", &[])
            .text(&prepared.context.dockerfile.source)
            .text(prepared.context.files.digest().0.as_bytes())
            .list(request.target.iter())
            .list(args.iter())
            .list(images.iter());
        Ok(key.finish())
    }

    /// Whether an image is here with all its layers.
    pub fn contains(&self, image: &Digest) -> bool {
        self.layers.image(image).is_ok()
    }

    pub(crate) fn prepare(&self, request: &BuildRequest) -> Result<Prepared, BuildError> {
        let context = Context::load(self.layers.blobs(), request)?;
        let globals = Globals::new(request.args.clone(), &ImageConfig::empty().architecture);
        let plan = Plan::of(&context.dockerfile, request.target.as_deref(), globals)?;
        Ok(Prepared { context, plan })
    }
}

impl Maker<'_> {
    /// Builds a Dockerfile after the images it needs.
    pub(crate) async fn build(&mut self, request: &BuildRequest) -> Result<Built, BuildError> {
        let prepared = self.all.prepare(request)?;
        let images = self.images(&prepared).await?;
        let builder = Builder {
            layers: &self.all.layers,
            cache: &self.all.cache,
            root: &mut self.root,
            events: self.events,
            context: &prepared.context,
            plan: &prepared.plan,
            images: &images,
            base: self.open.last().cloned(),
            done: BTreeMap::new(),
            stage: 0,
            outcomes: Vec::new(),
        };
        builder.build().await
    }

    /// Finds or makes the images from outside that a Dockerfile names.
    async fn images(&mut self, of: &Prepared) -> Result<BTreeMap<ImageRef, Digest>, BuildError> {
        let mut images = BTreeMap::new();
        let file = &of.context.dockerfile;
        for (name, span) in of.plan.images(file)? {
            let at = file.diagnose(span, format!("image `{name}` is not here"));
            let image = self.image(&name, Some(at)).await?;
            images.insert(name, image);
        }
        Ok(images)
    }
}
