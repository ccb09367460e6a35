//! Keys of stages: all that a result depends on, as one digest.
//!
//! A key covers contents and names, never where the checkout is, when it runs or what a secret's
//! value is.

use super::{Closure, Link, Part, PartKind, StepsWork, Task};
use crate::SecretMark;
use fairway_model::{
    Digest, Hasher, ImageRef, SecretName, StageName, TreeDigest,
    config::{Readiness, Resources, Template},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Changes when the meaning of keys does.
const EDITION: &str = "stage 1";

/// All that the result of a stage with steps depends on.
pub struct StepsFacts<'a> {
    /// What the stage does.
    pub work: &'a StepsWork,
    /// Its image.
    pub image: Digest,
    /// The sources.
    pub source: TreeDigest,
    /// The artifacts of the stages it needs.
    pub artifacts: &'a BTreeMap<StageName, TreeDigest>,
    /// What runs beside it.
    pub closure: &'a Closure,
    /// The images that neighbours name.
    pub images: &'a BTreeMap<ImageRef, Digest>,
    /// Tells a secret's version.
    pub secret: &'a dyn Fn(&SecretName) -> SecretMark,
}

impl StepsFacts<'_> {
    /// The key of the stage.
    pub fn key(&self) -> Digest {
        let mut fields = Fields(Hasher::new());
        fields.text(EDITION);
        fields.text("steps");
        self.task(&mut fields);
        fields.digest(&self.image);
        fields.digest(&self.source.0);
        fields.list(self.artifacts.values(), |fields, tree| fields.digest(&tree.0));
        self.env(&mut fields, &self.work.env);
        fields.texts(&self.work.reports);
        fields.texts(&self.work.artifacts);
        fields.texts(&self.work.cache);
        fields.json(&self.work.resources);
        self.links(&mut fields, &self.closure.links);
        fields.list(&self.closure.parts, |fields, (name, part)| {
            fields.text(name);
            self.part(fields, part);
        });
        fields.0.finish()
    }

    fn task(&self, fields: &mut Fields) {
        match &self.work.task {
            Task::Steps(steps) => {
                fields.text("shell");
                fields.texts(steps);
            }
            Task::Command(command) => {
                fields.text("command");
                fields.texts(command);
            }
        }
    }

    fn env(&self, fields: &mut Fields, env: &BTreeMap<String, Template>) {
        fields.list(env, |fields, (name, value)| {
            fields.text(name);
            self.template(fields, value);
        });
    }

    /// The text with names of secrets in it, and their versions.
    fn template(&self, fields: &mut Fields, template: &Template) {
        fields.text(&template.to_string());
        for name in template.secrets() {
            match (self.secret)(name) {
                SecretMark::Random => fields.text("random"),
                SecretMark::Version(version) => fields.0.field(version.to_le_bytes()),
            }
        }
    }

    fn links(&self, fields: &mut Fields, links: &BTreeMap<String, Link>) {
        fields.list(links, |fields, (name, link)| {
            fields.text(name);
            match link {
                Link::Inside(target) => fields.text(target),
                Link::Outside(address) => {
                    fields.text("outside");
                    self.template(fields, address);
                }
            }
        });
    }

    fn part(&self, fields: &mut Fields, part: &Part) {
        self.links(fields, &part.links);
        match &part.kind {
            PartKind::Image(neighbour) => {
                fields.text("image");
                match self.images.get(&neighbour.image) {
                    Some(digest) => fields.digest(digest),
                    None => fields.text(&neighbour.image.to_string()),
                }
                fields.list(neighbour.command.iter().flatten(), |fields, part| fields.text(part));
                self.env(fields, &neighbour.env);
                fields.running(neighbour.port, neighbour.ready.as_ref(), &neighbour.resources);
            }
            PartKind::Service(found) => {
                fields.text("service");
                fields.digest(&found.image);
                self.env(fields, &found.service.env);
                let service = &found.service;
                fields.running(service.port, service.ready.as_ref(), &service.resources);
            }
        }
    }
}

/// All that the result of the stage `build` depends on.
pub struct BuildFacts {
    /// What the image source says of the request.
    pub fingerprint: Digest,
}

impl BuildFacts {
    /// The key of the stage.
    pub fn key(&self) -> Digest {
        let mut fields = Fields(Hasher::new());
        fields.text(EDITION);
        fields.text("build");
        fields.digest(&self.fingerprint);
        fields.0.finish()
    }
}

/// Fields with their lengths, so that none runs into the next.
struct Fields(Hasher);

impl Fields {
    fn text(&mut self, text: &str) {
        self.0.field(text);
    }

    fn digest(&mut self, digest: &Digest) {
        self.0.field(digest.as_bytes());
    }

    fn texts(&mut self, texts: &[String]) {
        self.list(texts, |fields, text| fields.text(text));
    }

    fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut add: impl FnMut(&mut Self, T)) {
        let mut count: u64 = 0;
        for item in items {
            self.text("item");
            add(self, item);
            count += 1;
        }
        self.0.field(count.to_le_bytes());
    }

    fn json(&mut self, value: &impl Serialize) {
        let text = serde_json::to_string(value).expect("limits and probes have a JSON form");
        self.text(&text);
    }

    fn running(&mut self, port: Option<u16>, ready: Option<&Readiness>, limits: &Resources) {
        self.json(&port);
        self.json(&ready);
        self.json(limits);
    }
}

#[cfg(test)]
mod tests;
