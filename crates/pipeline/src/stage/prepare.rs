//! What a stage with steps depends on: its image, its neighbours and their images, its key.

use super::{
    end::Stopped,
    stage_run::{OnCancel, StageRun},
};
use crate::{
    Cause, Closure, NeighbourFact, PartKind, SecretMark, ServiceImage, ServiceOrigin, StageImage,
    StepsFacts, StepsWork, plan::Link,
};
use fairway_model::{Digest, ImageRef, SecretName, ServiceName, config::Template};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// All that a stage with steps depends on.
pub(crate) struct Prepared {
    pub(crate) image: Digest,
    pub(crate) closure: Closure,
    pub(crate) images: BTreeMap<ImageRef, Digest>,
    pub(crate) key: Digest,
}

impl StageRun {
    /// Finds out what the stage depends on, and makes what is missing.
    pub(crate) async fn prepare(&mut self, work: &StepsWork) -> Result<Prepared, Stopped> {
        let image = match &work.image {
            StageImage::Named(image) => self.image(image).await?,
            StageImage::Built => self.handed.image.expect("a stage in the built image needs it"),
        };
        let closure = self.closure(work).await?;
        let mut images = BTreeMap::new();
        for name in closure.images().into_iter().cloned().collect::<BTreeSet<_>>() {
            let digest = self.image(&name).await?;
            images.insert(name, digest);
        }
        self.ctx.secrets.meet(templates(work, &closure))?;
        self.check_outside(&closure)?;
        let facts = StepsFacts {
            work,
            image,
            source: self.ctx.request.checkout.revision.tree,
            artifacts: &self.handed.artifacts,
            closure: &closure,
            images: &images,
            secret: &|name| self.ctx.secrets.mark(name),
        };
        let key = facts.key();
        Ok(Prepared { image, closure, images, key })
    }

    /// What is outside cannot be reached at a random address.
    fn check_outside(&self, closure: &Closure) -> Result<(), Stopped> {
        let links = closure.parts.values().flat_map(|part| &part.links).chain(&closure.links);
        for (name, link) in links {
            let Link::Outside(address) = link else { continue };
            let is_random =
                |secret: &&SecretName| self.ctx.secrets.mark(secret) == SecretMark::Random;
            if let Some(secret) = address.secrets().find(is_random) {
                let message = format!(
                    "neighbour `{name}` is outside, and secret `{secret}` of its address has no value"
                );
                return Err(Cause::Engine { message }.into());
            }
        }
        Ok(())
    }

    async fn image(&mut self, image: &ImageRef) -> Result<Digest, Stopped> {
        let ctx = Arc::clone(&self.ctx);
        self.talking(OnCancel::Drop, async |talk| ctx.image(image, &talk).await).await
    }

    /// Follows neighbours, and finds services as they turn out to be needed.
    async fn closure(&mut self, work: &StepsWork) -> Result<Closure, Stopped> {
        let mut known = BTreeMap::new();
        loop {
            let missing = match Closure::new(&work.root, &known) {
                Ok(closure) => return Ok(closure),
                Err(missing) => missing,
            };
            for name in missing {
                let found = self.service(&name).await?;
                known.insert(name, found);
            }
        }
    }

    async fn service(&mut self, name: &ServiceName) -> Result<ServiceImage, Stopped> {
        let request = &self.ctx.request;
        if name == &request.checkout.service.name {
            let image = self.handed.image.ok_or_else(|| Cause::Image {
                message: format!("a neighbour needs `{name}`, which this run does not build"),
            })?;
            let origin = ServiceOrigin::Revision(request.checkout.revision.clone());
            return Ok(ServiceImage {
                service: Arc::clone(&request.checkout.service),
                image,
                origin,
            });
        }
        let ctx = Arc::clone(&self.ctx);
        self.talking(OnCancel::Wait, async |talk| ctx.service(name, &talk).await).await
    }
}

/// All templates that the containers of a stage are given.
fn templates<'a>(work: &'a StepsWork, closure: &'a Closure) -> impl Iterator<Item = &'a Template> {
    let outside = |link: &'a Link| match link {
        Link::Outside(address) => Some(address),
        Link::Inside(_) => None,
    };
    let parts = closure.parts.values().flat_map(move |part| {
        let env = match &part.kind {
            PartKind::Image(neighbour) => &neighbour.env,
            PartKind::Service(found) => &found.service.env,
        };
        env.values().chain(part.links.values().filter_map(outside))
    });
    work.env.values().chain(closure.links.values().filter_map(outside)).chain(parts)
}

impl Prepared {
    /// What takes part beside the stage, for evidence.
    pub(crate) fn facts(&self) -> Vec<NeighbourFact> {
        let fact = |(name, part): (&String, &crate::Part)| {
            let (image, origin) = match &part.kind {
                PartKind::Image(neighbour) => (*self.images.get(&neighbour.image)?, None),
                PartKind::Service(found) => (found.image, Some(found.origin.clone())),
            };
            Some(NeighbourFact { name: name.clone(), image, origin })
        };
        self.closure.parts.iter().filter_map(fact).collect()
    }
}
