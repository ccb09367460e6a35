//! `fairway status`: what runs where.

use crate::{
    app::{App, block_on},
    failure::{Doing, Exit, Failure},
    keeper::{Contact, Replica, ReplicaStanding},
    moment::{ago, iso},
    printer::{Format, Printer},
    promotion::gateway_url,
};
use fairway_delivery::{Environment, Environments, Placement, Releases, ServiceState};
use fairway_ledger::{Clock, Ledger};
use fairway_model::{EnvironmentName, ServiceName};
use serde::Serialize;

/// Show what runs where
#[derive(clap::Args)]
pub struct Args {
    /// The environment; all if none is named
    environment: Option<EnvironmentName>,
}

/// How one environment stands.
#[derive(Serialize)]
struct Standing {
    environment: EnvironmentName,
    is_up: bool,
    gateway: Option<String>,
    services: Vec<ServiceStanding>,
}

/// How one service of an environment stands.
#[derive(Serialize)]
struct ServiceStanding {
    service: ServiceName,
    release: Option<String>,
    revision: Option<String>,
    image: Option<String>,
    since: Option<String>,
    #[serde(skip)]
    age: String,
    ready: usize,
    replicas: u16,
    wanted: Option<String>,
    failure: Option<String>,
}

/// Prints the environments of the data directory.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let ledger = app.ledger()?;
    let environments = Environments::new(ledger.clone());
    let standings = block_on(async {
        let known = match &args.environment {
            Some(name) => environments.get(name).await.map(|environment| vec![environment]),
            None => environments.list().await,
        };
        let mut standings = Vec::new();
        for environment in known.doing("read how environments stand")? {
            standings.push(standing(app, &ledger, environment).await?);
        }
        Ok(standings)
    })?;
    match printer.format {
        Format::Json => printer.json(&standings),
        Format::Text => print(&standings, printer),
    }
    Ok(Exit::Done)
}

async fn standing(
    app: &App,
    ledger: &Ledger,
    environment: Environment,
) -> Result<Standing, Failure> {
    let replicas = if environment.is_up() {
        Contact::open(app).await?.replicas(&environment.name).await?
    } else {
        Vec::new()
    };
    let releases = Releases::new(ledger.clone());
    let mut services = Vec::new();
    for (name, state) in &environment.services {
        services.push(service_standing(&releases, name, state, &replicas).await?);
    }
    Ok(Standing {
        is_up: environment.is_up(),
        gateway: environment.port.filter(|_| environment.is_up()).map(gateway_url),
        environment: environment.name,
        services,
    })
}

async fn service_standing(
    releases: &Releases,
    service: &ServiceName,
    state: &ServiceState,
    replicas: &[Replica],
) -> Result<ServiceStanding, Failure> {
    let live = state.live();
    let release = match live {
        Some(live) => releases.get(&live.placement.release).await.doing("read the releases")?,
        None => None,
    };
    let is_ready = |replica: &&Replica| {
        replica.standing == ReplicaStanding::Ready
            && live.is_some_and(|live| live.placement.set == replica.set)
    };
    Ok(ServiceStanding {
        service: service.clone(),
        release: live.map(|live| live.placement.release.to_string()),
        revision: release.as_ref().map(|release| release.content.revision.to_string()),
        image: release.as_ref().map(|release| release.content.image.to_string()),
        since: live.map(|live| iso(live.at)),
        age: live.map(|live| ago(live.at, Clock::system().now())).unwrap_or_default(),
        ready: replicas.iter().filter(is_ready).count(),
        replicas: live.map_or(0, |live| live.placement.replicas),
        wanted: state.wanted.as_ref().map(|Placement { release, .. }| release.to_string()),
        failure: state.failure.clone(),
    })
}

fn print(standings: &[Standing], printer: &mut Printer) {
    if standings.is_empty() {
        printer.talk("nothing was promoted yet; `fairway promote SERVICE ENVIRONMENT` does\n");
        return;
    }
    for (number, standing) in standings.iter().enumerate() {
        if number > 0 {
            printer.data("\n");
        }
        if standing.services.is_empty() && !standing.is_up {
            printer.talk(&unused(&standing.environment));
            continue;
        }
        let place = match (&standing.gateway, standing.is_up) {
            (Some(url), _) => url.clone(),
            (None, true) => "going up or down".to_owned(),
            (None, false) => "down".to_owned(),
        };
        printer.data(&format!("{}: {place}\n", standing.environment));
        let rows: Vec<_> = standing.services.iter().map(row).collect();
        if !rows.is_empty() {
            let header = ["SERVICE", "RELEASE", "REVISION", "IMAGE", "READY", "SINCE", "NOTE"];
            printer.table(&header, &rows);
        }
    }
}

fn unused(name: &EnvironmentName) -> String {
    format!("nothing was promoted to `{name}` yet; `fairway promote SERVICE {name}` does\n")
}

fn row(service: &ServiceStanding) -> Vec<String> {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let image = service
        .image
        .as_ref()
        .map(|image| image.trim_start_matches("sha256:").chars().take(12).collect::<String>());
    let note = match (&service.wanted, &service.failure) {
        (Some(wanted), _) => format!("{wanted} is coming"),
        (None, Some(failure)) => {
            format!("last promotion failed: {}", failure.lines().next().unwrap_or_default())
        }
        (None, None) => String::new(),
    };
    vec![
        service.service.to_string(),
        or_dash(&service.release),
        or_dash(&service.revision),
        or_dash(&image),
        format!("{}/{}", service.ready, service.replicas),
        service.age.clone(),
        note,
    ]
}
