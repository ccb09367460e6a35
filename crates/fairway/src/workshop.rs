//! A fleet's checkout with everything that runs its pipelines.

use crate::{
    app::App,
    checkout::Checkout as Files,
    failure::{Doing, Failure},
    sources::Sources,
    supply::{FleetImages, FleetServices},
};
use fairway_delivery::{Environments, Library, Releases};
use fairway_image::{Bases, Images};
use fairway_model::{
    ServiceName,
    config::{FleetConfig, Service},
};
use fairway_pipeline::{Checkout, RunLogs, Runner, RunnerParts};
use std::{collections::BTreeMap, sync::Arc};

/// Everything that runs the pipelines of a fleet.
pub struct Workshop {
    /// The sources of each service.
    pub checkouts: BTreeMap<ServiceName, Checkout>,
    /// Runs pipelines.
    pub runner: Runner,
    /// Records releases.
    pub releases: Releases,
}

impl Workshop {
    /// Captures the sources and opens the engine. What killed processes left behind is removed.
    pub async fn open(app: &App, files: &Files, config: &FleetConfig) -> Result<Self, Failure> {
        let (blobs, ledger, secrets) = (app.blobs()?, app.ledger()?, app.secrets()?);
        let engine = app.engine()?;
        let capture = {
            let (blobs, root, cache) = (blobs.clone(), files.root.clone(), app.data("cache/stat")?);
            tokio::task::spawn_blocking(move || Sources::capture(&blobs, &root, &cache))
        };
        let (sources, swept) = tokio::join!(capture, engine.sweep());
        swept.doing("remove what killed processes left")?;
        let sources = sources.doing("capture the sources")??;
        let mut checkouts = BTreeMap::new();
        for (name, member) in &config.services {
            let text = files.service_text(&member.root).unwrap_or_default();
            let checkout = Checkout {
                service: Arc::new(member.service.clone()),
                config: blobs.put(text).doing("store the configuration")?,
                revision: sources.revision(&blobs, member)?,
            };
            checkouts.insert(name.clone(), checkout);
        }
        let bases = Bases::of_fleet(&config.fleet.bases, sources.tree(), &blobs)
            .doing("find the bases of the fleet")?;
        let roots = config.services.iter();
        let roots = roots.map(|(name, member)| (name.clone(), member.root.clone())).collect();
        let images = Images::open(app.layers()?, &app.data("cache/build")?, engine.clone())
            .doing("open the images")?;
        let releases = Releases::new(ledger.clone());
        let services = FleetServices {
            releases: releases.clone(),
            environments: Environments::new(ledger.clone()),
            library: Library::new(ledger.clone(), blobs.clone(), secrets.clone()),
            checkouts: checkouts.clone(),
        };
        let runner = Runner::new(RunnerParts {
            ledger,
            blobs,
            secrets,
            sandbox: Arc::new(engine),
            images: Arc::new(FleetImages { images, bases, roots }),
            services: Arc::new(services),
            logs: RunLogs::new(app.data("runs")?),
            side_by_side: std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
        });
        Ok(Self { checkouts, runner, releases })
    }

    /// All services, as a run wants them.
    pub fn fleet(&self) -> Arc<BTreeMap<ServiceName, Arc<Service>>> {
        let services = self.checkouts.iter();
        Arc::new(
            services.map(|(name, checkout)| (name.clone(), checkout.service.clone())).collect(),
        )
    }
}
