//! What the containers beside a stage are to be.

use super::{Link, Part, PartKind};
use fairway_engine::{Command, ContainerSpec, Env, Names};
use fairway_model::{
    Digest, ImageRef,
    config::{ImageNeighbour, Template},
};
use std::collections::BTreeMap;

/// When a part is started. Those of one wave start together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wave {
    /// Databases, queues: they need nobody.
    Images,
    /// Services, which may need each other.
    Services,
}

impl Wave {
    /// All waves in their order.
    pub(crate) const ALL: [Self; 2] = [Self::Images, Self::Services];

    /// The wave of a part.
    pub(crate) fn of(part: &Part) -> Self {
        match part.kind {
            PartKind::Image(_) => Self::Images,
            PartKind::Service(_) => Self::Services,
        }
    }
}

/// What a part is to be. `fill` fills in secrets.
pub(crate) fn part_spec(
    name: &str,
    part: &Part,
    images: &BTreeMap<ImageRef, Digest>,
    fill: &dyn Fn(&Template) -> String,
) -> Option<ContainerSpec> {
    let spec = match &part.kind {
        PartKind::Image(neighbour) => image_spec(neighbour, *images.get(&neighbour.image)?, fill),
        PartKind::Service(found) => ContainerSpec {
            env: fill_env(&found.service.env, fill),
            limits: found.service.resources,
            port: found.service.port,
            ready: found.service.ready.clone(),
            ..ContainerSpec::of(found.image)
        },
    };
    let names = Names { own: vec![name.to_owned()], private: private_names(&part.links, fill) };
    Some(ContainerSpec { names, ..spec })
}

fn image_spec(
    neighbour: &ImageNeighbour,
    image: Digest,
    fill: &dyn Fn(&Template) -> String,
) -> ContainerSpec {
    ContainerSpec {
        command: neighbour.command.clone().map_or(Command::Image, Command::Arguments),
        env: fill_env(&neighbour.env, fill),
        limits: neighbour.resources,
        port: neighbour.port,
        ready: neighbour.ready.clone(),
        ..ContainerSpec::of(image)
    }
}

/// What a consumer's short names stand for.
pub(crate) fn private_names(
    links: &BTreeMap<String, Link>,
    fill: &dyn Fn(&Template) -> String,
) -> BTreeMap<String, String> {
    let target = |link: &Link| match link {
        Link::Inside(name) => name.clone(),
        Link::Outside(address) => host_of(&fill(address)).to_owned(),
    };
    let named = links.iter().map(|(name, link)| (name.clone(), target(link)));
    named.filter(|(name, target)| name != target).collect()
}

/// The host of `host` or `host:port`.
fn host_of(address: &str) -> &str {
    address.split(':').next().unwrap_or(address)
}

/// Environment variables with their secrets filled in.
pub(crate) fn fill_env(
    env: &BTreeMap<String, Template>,
    fill: &dyn Fn(&Template) -> String,
) -> Env {
    Env(env.iter().map(|(name, value)| (name.clone(), fill(value))).collect())
}
