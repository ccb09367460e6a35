//! What pipelines need from other contexts: images from `image`, releases from `delivery`.

use crate::build_failure::BuildFailure;
use async_trait::async_trait;
use fairway_delivery::{Environments, Library, Releases};
use fairway_image::{Bases, BuildError, BuildEvent, Events, Images};
use fairway_model::{Digest, EnvironmentName, ImageRef, ServiceName};
use fairway_pipeline::{
    BuildRequest, Checkout, ImageSource, Remedy, SeamError, ServiceImage, ServiceOrigin,
    ServiceSource, Talk,
};
use std::{collections::BTreeMap, sync::Arc};

/// Images of a fleet, made on this machine.
pub struct FleetImages {
    /// The images.
    pub images: Images,
    /// What the fleet makes here.
    pub bases: Bases,
    /// The folder of each service, relative to the fleet's.
    pub roots: BTreeMap<ServiceName, String>,
}

#[async_trait]
impl ImageSource for FleetImages {
    async fn resolve(&self, image: &ImageRef, talk: &Talk) -> Result<Digest, SeamError> {
        let resolved = self.images.resolve(image, &self.bases, &events(talk)).await;
        resolved.map_err(|error| refused(format!("could not make image `{image}`"), error))
    }

    async fn fingerprint(&self, build: &BuildRequest, talk: &Talk) -> Result<Digest, SeamError> {
        let request = self.request(build);
        let fingerprint = self.images.fingerprint(&request, &self.bases, &events(talk)).await;
        fingerprint.map_err(|error| could_not_build(build, error))
    }

    async fn build(&self, build: &BuildRequest, talk: &Talk) -> Result<Digest, SeamError> {
        let made = self.images.build(&self.request(build), &self.bases, &events(talk)).await;
        made.map(|made| made.image).map_err(|error| could_not_build(build, error))
    }

    async fn contains(&self, image: &Digest) -> bool {
        self.images.contains(image)
    }
}

impl FleetImages {
    fn request(&self, build: &BuildRequest) -> fairway_image::BuildRequest {
        let shown = match self.roots.get(&build.service).map(String::as_str) {
            None | Some("" | ".") => build.dockerfile.clone(),
            Some(root) => format!("{root}/{}", build.dockerfile),
        };
        fairway_image::BuildRequest {
            tree: build.tree,
            dockerfile: build.dockerfile.clone(),
            shown,
            target: build.target.clone(),
            args: build.args.clone(),
        }
    }
}

fn could_not_build(build: &BuildRequest, error: BuildError) -> SeamError {
    refused(format!("could not build the image of `{}`", build.service), error)
}

fn refused(what: String, error: BuildError) -> SeamError {
    let remedy = if error.is_lost() { Remedy::Again } else { Remedy::None };
    SeamError::new(what, BuildFailure(error)).remedied_by(remedy)
}

/// Passes on what a build says. A line that finds the listener busy is left out: the log of the
/// stage is talk, not evidence.
fn events(talk: &Talk) -> Events {
    let talk = talk.clone();
    Events::to(move |event| {
        let line = match event {
            BuildEvent::Instruction { base, number, total, text } => {
                let base = base.map(|image| format!("base `{image}` ")).unwrap_or_default();
                format!("{base}[{number}/{total}] {text}")
            }
            BuildEvent::Output(fairway_engine::LogEvent::Line(line)) => {
                String::from_utf8_lossy(&line.text).into_owned()
            }
            BuildEvent::Packages(line) => line,
            BuildEvent::Base(image) => format!("base `{image}`"),
            BuildEvent::Output(fairway_engine::LogEvent::Cut { .. }) | BuildEvent::Done { .. } => {
                return;
            }
        };
        drop(talk.try_send(line));
    })
}

/// The services of a fleet: their releases, and their sources in the checkout.
pub struct FleetServices {
    /// The releases.
    pub releases: Releases,
    /// What is live where.
    pub environments: Environments,
    /// The configuration of releases.
    pub library: Library,
    /// The sources.
    pub checkouts: BTreeMap<ServiceName, Checkout>,
}

#[async_trait]
impl ServiceSource for FleetServices {
    async fn release(
        &self,
        service: &ServiceName,
        target: Option<&EnvironmentName>,
    ) -> Result<Option<ServiceImage>, SeamError> {
        let failed =
            |error| SeamError::new(format!("could not find a release of `{service}`"), error);
        let mut live = None;
        if let Some(target) = target {
            let environment = self.environments.get(target).await.map_err(failed)?;
            let state = environment.services.get(service);
            if let Some(placed) = state.and_then(fairway_delivery::ServiceState::live) {
                live = self.releases.get(&placed.placement.release).await.map_err(failed)?;
            }
        }
        let release = match live {
            Some(live) => live,
            None => match self.releases.newest(service).await.map_err(failed)? {
                Some(newest) => newest,
                None => return Ok(None),
            },
        };
        let config = self.library.service(&release).map_err(|error| {
            SeamError::new(format!("could not read the configuration of `{}`", release.id), error)
        })?;
        Ok(Some(ServiceImage {
            service: Arc::new(config),
            image: release.content.image,
            origin: ServiceOrigin::Release(release.id),
        }))
    }

    async fn checkout(&self, service: &ServiceName) -> Result<Checkout, SeamError> {
        let found = self.checkouts.get(service).cloned();
        found.ok_or_else(|| SeamError::plain(format!("service `{service}` is not in the fleet")))
    }
}
