//! All neighbours of a service with the place where each is written.

use crate::NeighbourName;
use crate::config::yaml::Document;
use crate::config::{Neighbour, Service, StageUse};

/// A neighbour with the keys that lead to it.
pub(super) struct Part<'s> {
    pub(super) path: Vec<String>,
    pub(super) name: &'s NeighbourName,
    pub(super) neighbour: &'s Neighbour,
}

/// The neighbours of a service, of its environments and of its stages.
///
/// Those of a stage stand in a list or in a mapping, which only the file knows.
pub(super) fn parts<'s>(service: &'s Service, file: &Document) -> Vec<Part<'s>> {
    let mut parts = Vec::new();
    let mut add = |path: &[&str], name, neighbour| {
        let path = path.iter().map(|&key| key.to_owned()).collect();
        parts.push(Part { path, name, neighbour });
    };
    for (name, neighbour) in &service.uses {
        add(&["uses", name.as_str()], name, neighbour);
    }
    for (environment, overlay) in &service.environments {
        for (name, neighbour) in &overlay.uses {
            let path = ["environments", environment.as_str(), "uses", name.as_str()];
            add(&path, name, neighbour);
        }
    }
    for stage in &service.pipeline.stages {
        for (index, one) in stage.uses.iter().enumerate() {
            let StageUse::Inline(name, neighbour) = one else { continue };
            let index = index.to_string();
            let listed = ["pipeline", "stages", stage.name.as_str(), "uses", &index, name.as_str()];
            let [pipeline, stages, stage, uses, _, key] = listed;
            let mapped = [pipeline, stages, stage, uses, key];
            let path = if file.has(&mapped) { &mapped[..] } else { &listed[..] };
            add(path, name, neighbour);
        }
    }
    parts
}

impl Part<'_> {
    /// The keys that lead to one of its keys.
    pub(super) fn key<'p>(&'p self, key: &'p str) -> Vec<&'p str> {
        self.path.iter().map(String::as_str).chain([key]).collect()
    }
}
