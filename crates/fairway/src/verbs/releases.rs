//! `fairway releases`: what can be promoted, the newest first.

use crate::{
    app::{App, block_on},
    failure::{Doing, Exit, Failure},
    moment::{ago, iso},
    printer::{Format, Printer},
};
use fairway_delivery::{Environment, Environments, Release, Releases, ServiceState};
use fairway_ledger::{Clock, Ledger};
use fairway_model::{Digest, EnvironmentName, ReleaseId, Revision, RunId, ServiceName, Timestamp};
use serde::Serialize;

/// List releases
#[derive(clap::Args)]
pub struct Args {
    /// The service; all if none is named
    service: Option<ServiceName>,
    /// At most so many releases
    #[arg(short = 'n', long, value_name = "RELEASES", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
}

/// One release of the list.
#[derive(Serialize)]
struct Row {
    release: ReleaseId,
    service: ServiceName,
    revision: Revision,
    image: Digest,
    run: RunId,
    made: String,
    tests: u64,
    live: Vec<EnvironmentName>,
    #[serde(skip)]
    age: String,
}

/// Prints the newest releases of the data directory.
pub fn run(args: &Args, app: &App, printer: &mut Printer) -> Result<Exit, Failure> {
    let (releases, environments) = block_on(read(args, app.ledger()?))?;
    let now = Clock::system().now();
    let rows: Vec<Row> =
        releases.into_iter().map(|release| Row::of(release, &environments, now)).collect();
    match printer.format {
        Format::Json => printer.json(&rows),
        Format::Text if rows.is_empty() => printer.talk(
            "there are no releases yet; a green `fairway run` of a clean commit makes them\n",
        ),
        Format::Text => {
            let header = ["RELEASE", "REVISION", "IMAGE", "RUN", "MADE", "TESTS", "LIVE IN"];
            printer.table(&header, &rows.iter().map(Row::cells).collect::<Vec<_>>());
        }
    }
    Ok(Exit::Done)
}

async fn read(args: &Args, ledger: Ledger) -> Result<(Vec<Release>, Vec<Environment>), Failure> {
    let (releases, limit) = (Releases::new(ledger.clone()), usize::from(args.limit));
    let found = match &args.service {
        Some(service) => releases.list(service, limit).await,
        None => releases.all(limit).await,
    };
    let environments = Environments::new(ledger).list().await;
    Ok((found.doing("read the releases")?, environments.doing("read how environments stand")?))
}

impl Row {
    fn of(release: Release, environments: &[Environment], now: Timestamp) -> Self {
        let is_live = |environment: &&Environment| {
            let service = environment.services.get(&release.id.service);
            let live = service.and_then(ServiceState::live);
            live.is_some_and(|live| live.placement.release == release.id)
        };
        let live = environments.iter().filter(is_live);
        Self {
            live: live.map(|environment| environment.name.clone()).collect(),
            revision: release.content.revision,
            image: release.content.image,
            run: release.content.evidence.run,
            tests: release.content.evidence.tests,
            made: iso(release.at),
            age: ago(release.at, now),
            service: release.id.service.clone(),
            release: release.id,
        }
    }

    fn cells(&self) -> Vec<String> {
        let live: Vec<&str> = self.live.iter().map(EnvironmentName::as_str).collect();
        vec![
            self.release.to_string(),
            self.revision.to_string(),
            self.image.short(),
            self.run.to_string(),
            self.age.clone(),
            self.tests.to_string(),
            if live.is_empty() { "-".to_owned() } else { live.join(", ") },
        ]
    }
}
