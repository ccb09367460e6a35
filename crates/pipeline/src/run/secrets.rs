//! The secrets of one run: those of its target environment, and random ones for the rest.

use fairway_model::{EnvironmentName, SecretName, config::Template};
use fairway_secrets::{Masker, SecretError, SecretValue, SecretVersion, Secrets};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What a key knows of a secret: never its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretMark {
    /// It has no value, and gets a random one for as long as the run lives.
    Random,
    /// Its version in the target environment.
    Version(u64),
}

/// The secrets that a run has met so far, with their values.
pub(crate) struct RunSecrets {
    store: Secrets,
    environment: Option<EnvironmentName>,
    known: Mutex<BTreeMap<SecretName, (SecretValue, SecretMark)>>,
}

impl RunSecrets {
    pub(crate) fn new(store: Secrets, environment: Option<EnvironmentName>) -> Self {
        Self { store, environment, known: Mutex::default() }
    }

    /// Finds or makes the values of all secrets of these templates.
    pub(crate) fn meet<'a>(
        &self,
        templates: impl IntoIterator<Item = &'a Template>,
    ) -> Result<(), SecretError> {
        let mut known = self.known();
        for name in templates.into_iter().flat_map(Template::secrets) {
            if !known.contains_key(name) {
                known.insert(name.clone(), self.find(name)?);
            }
        }
        Ok(())
    }

    fn find(&self, name: &SecretName) -> Result<(SecretValue, SecretMark), SecretError> {
        let kept = match &self.environment {
            Some(environment) => self.store.get(environment, name)?,
            None => None,
        };
        Ok(match kept {
            Some((value, SecretVersion(version))) => (value, SecretMark::Version(version)),
            None => (SecretValue::generate()?, SecretMark::Random),
        })
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<SecretName, (SecretValue, SecretMark)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a key knows of a secret that was met.
    pub(crate) fn mark(&self, name: &SecretName) -> SecretMark {
        self.known().get(name).map_or(SecretMark::Random, |(_, mark)| *mark)
    }

    /// A template with the values of its secrets, which were met.
    pub(crate) fn fill(&self, template: &Template) -> String {
        let known = self.known();
        let value = |name: &SecretName| known.get(name).map(|(value, _)| value.expose().to_owned());
        template.fill(value).expect("all secrets of a stage are met before it starts")
    }

    /// Masks all secrets that were met so far.
    pub(crate) fn masker(&self) -> Masker {
        Masker::new(self.known().values().map(|(value, _)| value))
    }
}
