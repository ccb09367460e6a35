//! `fairway promote`: moves a release into an environment.

use crate::{
    app::{App, block_on},
    checkout,
    failure::{Doing, Exit, Failure},
    printer::Printer,
    promotion::{Promotions, environment_of},
};
use fairway_delivery::{Release, ServiceState};
use fairway_model::{EnvironmentName, ReleaseId, ServiceName, config::Environment};
use std::str::FromStr;

/// Move a release into an environment
#[derive(clap::Args)]
pub struct Args {
    /// The service or release: `orders`, `orders@7`. A service alone stands for the release that is
    /// live where the environment's releases come from, else for the newest one
    #[arg(value_name = "SERVICE[@RELEASE]")]
    what: What,
    /// The environment
    environment: EnvironmentName,
}

/// A service, or one release of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Service(ServiceName),
    Release(ReleaseId),
}

impl FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('@') {
            return text.parse().map(Self::Release).map_err(|error| format!("{error}"));
        }
        text.parse().map(Self::Service).map_err(|error| format!("{error}"))
    }
}

/// Promotes and waits until the release is live, or is not going to be.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let Some((_, config)) = checkout::load(app, printer)? else {
        return Ok(Exit::Misconfigured);
    };
    let environment = environment_of(&config, &args.environment)?;
    let promotions = Promotions::open(app)?;
    block_on(async {
        let release = match &args.what {
            What::Release(id) => promotions.release(id).await?,
            What::Service(service) => default_release(&promotions, service, environment).await?,
        };
        check_gate(&promotions, &release, environment).await?;
        promotions.place(&release, &environment.name, environment.port, printer).await
    })
}

async fn default_release(
    promotions: &Promotions<'_>,
    service: &ServiceName,
    environment: &Environment,
) -> Result<Release, Failure> {
    if let Some(from) = &environment.from {
        let state = promotions.environment(from).await?;
        let live = state.services.get(service).and_then(ServiceState::live);
        let live = live.ok_or_else(|| {
            Failure::failed(format!("`{service}` is not live in `{from}`"))
                .hint(format!("promote it there first: `fairway promote {service} {from}`"))
        })?;
        return promotions.release(&live.placement.release).await;
    }
    let newest = promotions.releases.newest(service).await.doing("read the releases")?;
    newest.ok_or_else(|| {
        Failure::failed(format!("`{service}` has no release"))
            .hint(format!("commit it and run its pipeline: `fairway run {service}`"))
    })
}

/// A release comes from where it was live before.
async fn check_gate(
    promotions: &Promotions<'_>,
    release: &Release,
    environment: &Environment,
) -> Result<(), Failure> {
    let Some(from) = &environment.from else {
        return Ok(());
    };
    let state = promotions.environment(from).await?;
    let history = state.services.get(&release.id.service).map(|service| &service.history);
    let was_live = |id: &ReleaseId| {
        history.is_some_and(|history| history.iter().any(|live| live.placement.release == *id))
    };
    if was_live(&release.id) {
        return Ok(());
    }
    let id = &release.id;
    Err(Failure::failed(format!("`{id}` was never live in `{from}`"))
        .hint(format!("promote it there first: `fairway promote {id} {from}`")))
}
