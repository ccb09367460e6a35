//! `fleet.yaml`: one per product.

use crate::{EnvironmentName, FleetName, ImageRef};
use std::collections::BTreeMap;

/// A product: where its services are, which images are made here and where releases run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// The product's name.
    pub name: FleetName,
    /// Folders with a `fairway.yaml`, relative to this file; `*` stands for one path component.
    pub services: Vec<String>,
    /// Images made on this machine, by the name under which they are used.
    pub bases: BTreeMap<ImageRef, Base>,
    /// Places where releases run, in the order of the file.
    pub environments: Vec<Environment>,
}

impl Fleet {
    /// The environment of this name.
    pub fn environment(&self, name: &EnvironmentName) -> Option<&Environment> {
        self.environments.iter().find(|environment| &environment.name == name)
    }
}

/// How an image is made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// From the packages of a Debian suite.
    Debian {
        /// `bookworm`.
        suite: String,
        /// Packages beyond the minimal set.
        packages: Vec<String>,
    },
    /// From a Dockerfile in a folder relative to `fleet.yaml`.
    Dockerfile {
        /// The build context; its `Dockerfile` is built.
        context: String,
    },
}

/// A named place where releases run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// What runs its containers.
    pub engine: EngineKind,
    /// The environment a release must be live in before it may come here.
    pub from: Option<EnvironmentName>,
    /// The port of its gateway on the loopback interface; without one, a free port is taken once
    /// and kept.
    pub port: Option<u16>,
}

/// What runs containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineKind {
    /// On this machine, with nothing else installed.
    #[default]
    Embedded,
}
