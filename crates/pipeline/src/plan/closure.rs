//! All that has to run beside a stage: its neighbours, and theirs.

use crate::ServiceImage;
use fairway_model::{
    ImageRef, NeighbourName, ServiceName,
    config::{ImageNeighbour, Neighbour, Template},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a stage uses itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The service whose stage it is.
    pub service: ServiceName,
    /// What it uses.
    pub uses: Vec<Use>,
}

/// One neighbour of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Its short name, private to the stage.
    pub name: NeighbourName,
    /// Its fleet-wide name, if it is an image.
    pub fleet_wide: String,
    /// What it is.
    pub neighbour: Neighbour,
}

impl Use {
    /// The colleague's service, if it is one.
    pub fn service(&self) -> Option<&ServiceName> {
        match &self.neighbour {
            Neighbour::Service(name) => Some(name),
            Neighbour::Image(_) | Neighbour::External(_) => None,
        }
    }
}

/// All that runs beside a stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Closure {
    /// What the stage's short names stand for.
    pub links: BTreeMap<String, Link>,
    /// What runs, by fleet-wide name.
    pub parts: BTreeMap<String, Part>,
}

/// What a short name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// A part by its fleet-wide name.
    Inside(String),
    /// A host outside.
    Outside(Template),
}

/// One container beside a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// What its short names stand for.
    pub links: BTreeMap<String, Link>,
}

/// What a container beside a stage is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartKind {
    /// A neighbour that is an image.
    Image(Box<ImageNeighbour>),
    /// A colleague's service.
    Service(ServiceImage),
}

impl Closure {
    /// Follows the neighbours of a stage through the services that are known. If others are
    /// needed, they are the error; find them and try again.
    pub fn new(
        root: &Root,
        known: &BTreeMap<ServiceName, ServiceImage>,
    ) -> Result<Self, BTreeSet<ServiceName>> {
        let mut walk = Walk { known, missing: BTreeSet::new(), parts: BTreeMap::new() };
        let uses = root.uses.iter();
        let links = uses
            .map(|used| (used.name.to_string(), walk.add(used.fleet_wide.clone(), &used.neighbour)))
            .collect();
        if walk.missing.is_empty() {
            Ok(Self { links, parts: walk.parts })
        } else {
            Err(walk.missing)
        }
    }

    /// The images that neighbours name.
    pub fn images(&self) -> BTreeSet<&ImageRef> {
        let images = self.parts.values().filter_map(|part| match &part.kind {
            PartKind::Image(neighbour) => Some(&neighbour.image),
            PartKind::Service(_) => None,
        });
        images.collect()
    }
}

struct Walk<'a> {
    known: &'a BTreeMap<ServiceName, ServiceImage>,
    missing: BTreeSet<ServiceName>,
    parts: BTreeMap<String, Part>,
}

impl Walk<'_> {
    fn add(&mut self, fleet_wide: String, neighbour: &Neighbour) -> Link {
        match neighbour {
            Neighbour::External(address) => Link::Outside(address.clone()),
            Neighbour::Image(image) => {
                let kind = PartKind::Image(image.clone());
                self.parts.insert(fleet_wide.clone(), Part { kind, links: BTreeMap::new() });
                Link::Inside(fleet_wide)
            }
            Neighbour::Service(name) => {
                self.service(name);
                Link::Inside(name.to_string())
            }
        }
    }

    fn service(&mut self, name: &ServiceName) {
        if self.parts.contains_key(name.as_str()) {
            return;
        }
        let Some(found) = self.known.get(name) else {
            self.missing.insert(name.clone());
            return;
        };
        // Present before its own neighbours are followed, as services may use each other.
        let kind = PartKind::Service(found.clone());
        self.parts.insert(name.to_string(), Part { kind, links: BTreeMap::new() });
        let links: BTreeMap<String, Link> = found
            .service
            .uses
            .iter()
            .map(|(short, used)| (short.to_string(), self.add(format!("{short}.{name}"), used)))
            .collect();
        if let Some(part) = self.parts.get_mut(name.as_str()) {
            part.links = links;
        }
    }
}
