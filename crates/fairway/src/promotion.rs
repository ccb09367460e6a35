//! Asks for a release in an environment, and waits for how that ends.

mod ending;
mod standing;

use crate::{
    app::App,
    failure::{Doing, Exit, Failure},
    printer::{Format, Printer},
};
use ending::{Ending, await_end};
use fairway_delivery::{
    Environment, EnvironmentEvent, Environments, Library, Placement, Release, Releases,
    in_environment, secrets_of,
};
use fairway_ledger::Ledger;
use fairway_model::{
    EnvironmentName, ReleaseId, SecretName,
    config::{FleetConfig, Neighbour, Service},
};
use fairway_secrets::Secrets;
use serde_json::json;
use std::time::{Duration, Instant};

/// Asks for releases in one environment.
pub struct Promotions<'a> {
    app: &'a App,
    ledger: Ledger,
    secrets: Secrets,
    /// The releases that can be asked for.
    pub releases: Releases,
    /// The environments.
    pub environments: Environments,
}

impl<'a> Promotions<'a> {
    /// Opens what promotions need.
    pub fn open(app: &'a App) -> Result<Self, Failure> {
        let ledger = app.ledger()?;
        Ok(Self {
            app,
            secrets: app.secrets()?,
            releases: Releases::new(ledger.clone()),
            environments: Environments::new(ledger.clone()),
            ledger,
        })
    }

    /// The release of an id.
    pub async fn release(&self, id: &ReleaseId) -> Result<Release, Failure> {
        let found = self.releases.get(id).await.doing("read the releases")?;
        found.ok_or_else(|| {
            Failure::failed(format!("there is no release `{id}`"))
                .hint(format!("`fairway releases {}` lists those there are", id.service))
        })
    }

    /// How an environment stands.
    pub async fn environment(&self, name: &EnvironmentName) -> Result<Environment, Failure> {
        self.environments.get(name).await.doing(format!("read how `{name}` stands"))
    }

    /// Asks for a release, waits until it is live or is not going to be, and tells.
    pub async fn place(
        &self,
        release: &Release,
        environment: &EnvironmentName,
        port: Option<u16>,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let start = Instant::now();
        self.app.engine()?;
        let placement = self.placement(release, environment, printer).await?;
        let request = EnvironmentEvent::PromotionRequested { placement: placement.clone(), port };
        let asked = self.environments.record(environment, &request).await;
        let asked = asked.doing(format!("ask for `{}` in `{environment}`", release.id))?;
        let events = self.ledger.subscribe(asked).doing("follow the ledger")?;
        let ending =
            await_end(self.app, events, environment, &placement, printer.live_line()).await?;
        let state = self.environment(environment).await?;
        self.tell(&placement, &state, (ending, port, start.elapsed()), printer)
    }

    /// What is to run, with the versions of the secrets it is given.
    async fn placement(
        &self,
        release: &Release,
        environment: &EnvironmentName,
        printer: &mut Printer,
    ) -> Result<Placement, Failure> {
        let library = Library::new(self.ledger.clone(), self.app.blobs()?, self.secrets.clone());
        let service = library
            .service(release)
            .doing(format!("read the configuration of `{}`", release.id))?;
        let secrets = self.versions(&service, environment)?;
        let service = in_environment(&service, environment);
        let state = self.environment(environment).await?;
        for neighbour in service.uses.values() {
            let Neighbour::Service(name) = neighbour else { continue };
            let known = state.services.get(name);
            if known.is_none_or(|known| known.live().is_none() && known.wanted.is_none()) {
                printer.talk(&format!(
                    "note: `{}` uses `{name}`, which is not in `{environment}` yet\n",
                    service.name
                ));
            }
        }
        Ok(Placement::new(release.id.clone(), environment, &secrets, service.replicas))
    }

    fn versions(
        &self,
        service: &Service,
        environment: &EnvironmentName,
    ) -> Result<Vec<(SecretName, u64)>, Failure> {
        let known = self.secrets.list(environment).doing("list the secrets")?;
        let (mut versions, mut missing) = (Vec::new(), Vec::new());
        for name in secrets_of(service, environment) {
            match known.iter().find(|info| info.name == name) {
                Some(info) => versions.push((name, info.version.0)),
                None => missing.push(name),
            }
        }
        if missing.is_empty() {
            return Ok(versions);
        }
        let failure = Failure::failed(format!(
            "`{}` needs secrets that `{environment}` has not",
            service.name
        ));
        Err(missing.iter().fold(failure, |failure, name| {
            failure.hint(format!(
                "`fairway secret set {environment} {name}` (`--generate` for a random one)"
            ))
        }))
    }

    fn tell(
        &self,
        placement: &Placement,
        state: &Environment,
        (ending, wanted_port, took): (Ending, Option<u16>, Duration),
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let (release, environment) = (&placement.release, &state.name);
        let not_live = || Failure::failed(format!("`{release}` is not live in `{environment}`"));
        match ending {
            Ending::Live => {}
            Ending::Failed(because) => {
                return Err(not_live()
                    .because(because)
                    .hint("the environment is as it was before"));
            }
            Ending::Superseded => {
                return Err(not_live().because("a later promotion took its place"));
            }
            Ending::WentDown => {
                return Err(not_live().because("the environment was taken down meanwhile"));
            }
        }
        let url = state.port.map(gateway_url);
        match printer.format {
            Format::Json => printer.json(&json!({
                "release": release, "environment": environment, "gateway": url,
                "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            })),
            Format::Text => {
                let seconds = took.as_secs_f64();
                let gateway = url.map(|url| format!(", at {url}")).unwrap_or_default();
                printer.talk(&format!(
                    "{release} is live in {environment}{gateway} ({seconds:.1} s)\n"
                ));
            }
        }
        if let Some(wanted) = wanted_port.filter(|wanted| Some(*wanted) != state.port) {
            printer.talk(&format!(
                "warning: port {wanted} is taken, so the gateway has another one\n"
            ));
        }
        Ok(Exit::Done)
    }
}

/// Where the gateway of an environment is.
pub fn gateway_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// The environment of a fleet by its name.
pub fn environment_of<'a>(
    config: &'a FleetConfig,
    name: &EnvironmentName,
) -> Result<&'a fairway_model::config::Environment, Failure> {
    let environments = &config.fleet.environments;
    environments.iter().find(|environment| environment.name == *name).ok_or_else(|| {
        let known: Vec<String> =
            environments.iter().map(|environment| format!("`{}`", environment.name)).collect();
        Failure::usage(format!("the fleet has no environment `{name}`"))
            .hint(format!("it has {}", known.join(", ")))
    })
}
