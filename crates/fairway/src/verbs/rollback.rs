//! `fairway rollback`: back to what ran before.

use crate::{
    app::{App, block_on},
    checkout,
    failure::{Exit, Failure},
    printer::Printer,
    promotion::{Promotions, environment_of},
};
use fairway_delivery::ServiceState;
use fairway_model::{EnvironmentName, ServiceName};

/// Go back to the release that ran before
#[derive(clap::Args)]
pub struct Args {
    /// The service
    service: ServiceName,
    /// The environment
    environment: EnvironmentName,
}

/// Rolls back and waits until the earlier release is live.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let Some((_, config)) = checkout::load(app, printer)? else {
        return Ok(Exit::Misconfigured);
    };
    let (service, environment) = (&args.service, environment_of(&config, &args.environment)?);
    let promotions = Promotions::open(app)?;
    block_on(async {
        let state = promotions.environment(&environment.name).await?;
        let previous = state.services.get(service).and_then(ServiceState::previous);
        let previous = previous.ok_or_else(|| {
            let name = &environment.name;
            Failure::failed(format!("no other release of `{service}` was live in `{name}`"))
        })?;
        let release = promotions.release(&previous.release).await?;
        promotions.place(&release, &environment.name, environment.port, printer).await
    })
}
