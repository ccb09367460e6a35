//! What a release is in one environment: containers, names, neighbours, routes.

use crate::Release;
use fairway_engine::{Command, ContainerSpec, Env, Mount, Names, Volume};
use fairway_model::{
    Digest, EnvironmentName, ImageRef, NeighbourName, SecretName, ServiceName,
    config::{ImageNeighbour, Neighbour, Overlay, Route, Service, Template},
};
use std::collections::BTreeMap;

/// A release with the configuration of one environment, ready to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What each replica of the service is.
    pub spec: ContainerSpec,
    /// How many replicas run.
    pub replicas: u16,
    /// Neighbours that are images, each a set of one replica, by fleet-wide name.
    pub neighbours: BTreeMap<String, ContainerSpec>,
    /// Colleagues' services that it uses.
    pub services: Vec<ServiceName>,
    /// Which requests the gateway sends to it.
    pub routes: Vec<Route>,
}

/// Why a release cannot run in an environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// A secret has no value there.
    #[error("secret `{0}` has no value in this environment")]
    Secret(SecretName),
    /// The environment's configuration names an image that the release was not tested with.
    #[error("image `{0}` is not part of the release")]
    Image(ImageRef),
}

/// Looks up the value of a secret in the environment.
pub type SecretLookup<'a> = &'a dyn Fn(&SecretName) -> Option<String>;

/// The names of all secrets that a service needs in an environment, in order and once each.
pub fn secrets_of(service: &Service, environment: &EnvironmentName) -> Vec<SecretName> {
    let service = in_environment(service, environment);
    let neighbours = service.uses.values().flat_map(|neighbour| match neighbour {
        Neighbour::Image(image) => image.env.values().collect(),
        Neighbour::External(address) => vec![address],
        Neighbour::Service(_) => Vec::new(),
    });
    let mut names: Vec<SecretName> =
        service.env.values().chain(neighbours).flat_map(Template::secrets).cloned().collect();
    names.sort();
    names.dedup();
    names
}

/// The service with what differs in this environment.
pub fn in_environment(service: &Service, environment: &EnvironmentName) -> Service {
    let mut service = service.clone();
    let Some(Overlay { replicas, env, uses, resources }) = service.environments.remove(environment)
    else {
        return service;
    };
    service.replicas = replicas.unwrap_or(service.replicas);
    service.resources = resources.unwrap_or(service.resources);
    service.env.extend(env);
    service.uses.extend(uses);
    service
}

impl Manifest {
    /// Works out what a release is in an environment.
    pub fn new(
        release: &Release,
        service: &Service,
        environment: &EnvironmentName,
        secret: SecretLookup<'_>,
    ) -> Result<Self, ManifestError> {
        let service = in_environment(service, environment);
        let mut env = fill_all(&service.env, secret)?;
        env.insert("FAIRWAY_ENVIRONMENT".to_owned(), environment.to_string());
        env.insert("FAIRWAY_SERVICE".to_owned(), service.name.to_string());
        env.insert("FAIRWAY_RELEASE".to_owned(), release.id.to_string());
        let images = &release.content.neighbours;
        let parts = Parts { service: &service, environment, images, secret };
        let spec = ContainerSpec {
            env: Env(env),
            limits: service.resources,
            port: service.port,
            ready: service.ready.clone(),
            names: Names { own: Vec::new(), private: parts.private_names()? },
            ..ContainerSpec::of(release.content.image)
        };
        Ok(Self {
            spec,
            replicas: service.replicas,
            neighbours: parts.neighbours()?,
            services: parts.services(),
            routes: service.routes.clone(),
        })
    }
}

struct Parts<'a> {
    service: &'a Service,
    environment: &'a EnvironmentName,
    images: &'a BTreeMap<ImageRef, Digest>,
    secret: SecretLookup<'a>,
}

impl Parts<'_> {
    fn fleet_wide(&self, name: &NeighbourName) -> String {
        format!("{name}.{}", self.service.name)
    }

    fn private_names(&self) -> Result<BTreeMap<String, String>, ManifestError> {
        let target = |(name, neighbour): (&NeighbourName, &Neighbour)| {
            let target = match neighbour {
                Neighbour::Image(_) => self.fleet_wide(name),
                Neighbour::Service(service) => service.to_string(),
                Neighbour::External(address) => host_of(&fill(address, self.secret)?),
            };
            Ok((name.to_string(), target))
        };
        self.service.uses.iter().map(target).collect()
    }

    fn services(&self) -> Vec<ServiceName> {
        let service = |neighbour: &Neighbour| match neighbour {
            Neighbour::Service(service) => Some(service.clone()),
            Neighbour::Image(_) | Neighbour::External(_) => None,
        };
        self.service.uses.values().filter_map(service).collect()
    }

    fn neighbours(&self) -> Result<BTreeMap<String, ContainerSpec>, ManifestError> {
        let images = self.service.uses.iter().filter_map(|(name, neighbour)| match neighbour {
            Neighbour::Image(image) => Some((self.fleet_wide(name), image)),
            Neighbour::Service(_) | Neighbour::External(_) => None,
        });
        images.map(|(name, image)| Ok((name.clone(), self.neighbour(&name, image)?))).collect()
    }

    fn neighbour(
        &self,
        name: &str,
        neighbour: &ImageNeighbour,
    ) -> Result<ContainerSpec, ManifestError> {
        let digest = self
            .images
            .get(&neighbour.image)
            .ok_or_else(|| ManifestError::Image(neighbour.image.clone()))?;
        let data = neighbour.data.as_ref().map(|at| Mount::Volume {
            at: at.clone(),
            volume: Volume { scope: volume_scope(self.environment), name: name.to_owned() },
        });
        Ok(ContainerSpec {
            command: neighbour.command.clone().map_or(Command::Image, Command::Arguments),
            env: Env(fill_all(&neighbour.env, self.secret)?),
            mounts: data.into_iter().collect(),
            limits: neighbour.resources,
            port: neighbour.port,
            ready: neighbour.ready.clone(),
            ..ContainerSpec::of(*digest)
        })
    }
}

/// What the volumes of an environment belong to.
pub fn volume_scope(environment: &EnvironmentName) -> String {
    format!("env-{environment}")
}

/// An external neighbour is `host` or `host:port`; its name stands for the host.
fn host_of(address: &str) -> String {
    let authority = address.rsplit_once("://").map_or(address, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or(authority);
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host_port.split(':').next().unwrap_or(host_port).to_owned()
}

fn fill_all<K: ToString>(
    env: &BTreeMap<K, Template>,
    secret: SecretLookup<'_>,
) -> Result<BTreeMap<String, String>, ManifestError> {
    env.iter().map(|(name, value)| Ok((name.to_string(), fill(value, secret)?))).collect()
}

fn fill(template: &Template, secret: SecretLookup<'_>) -> Result<String, ManifestError> {
    template.fill(secret).map_err(|name| ManifestError::Secret(name.clone()))
}
