//! From the texts of both files to a fleet.

use super::check::{CheckedService, check_fleet, check_members, check_service};
use super::decode::{Decoded, decode, service_patterns};
use super::reporter::Reporter;
use super::yaml::Document;
use super::{Fleet, Service, folder};
use crate::{Diagnostic, ServiceName, SourceText};
use std::collections::BTreeMap;

/// A file that somebody has read.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'t> {
    /// Its path relative to the folder of `fleet.yaml`, with `/`: `services/orders/fairway.yaml`.
    pub path: &'t str,
    /// What is in it.
    pub text: &'t str,
}

/// A fleet with its services, of which everything holds that can be known without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetConfig {
    /// `fleet.yaml`.
    pub fleet: Fleet,
    /// Every service by its name.
    pub services: BTreeMap<ServiceName, Member>,
}

/// A service with its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its folder relative to that of `fleet.yaml`; `.` if it is the same.
    pub root: String,
    /// Its `fairway.yaml`.
    pub service: Service,
}

impl Fleet {
    /// Decodes a `fleet.yaml`. All that is wrong in it comes at once, in the order of the file.
    pub fn decode(path: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut log = Reporter::new(SourceText::new(path, text));
        let decoded = decode::<Fleet>(text, &mut log);
        finish(decoded.value, log.finish())
    }

    /// The folders of services that a `fleet.yaml` names, also if something else in it is wrong: so
    /// that the errors of all files can come at once.
    pub fn service_patterns(text: &str) -> Vec<String> {
        let mut log = Reporter::new(SourceText::new("", text));
        service_patterns(text, &mut log)
    }
}

impl Service {
    /// Decodes a `fairway.yaml` and checks it by itself. All that is wrong in it comes at once, in
    /// the order of the file.
    pub fn decode(path: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut log = Reporter::new(SourceText::new(path, text));
        let decoded = decode_service(text, &mut log);
        finish(decoded.value, log.finish())
    }
}

impl FleetConfig {
    /// Decodes and checks a whole fleet. All that is wrong in all files comes at once, by file and
    /// in the order of each.
    pub fn load(fleet: SourceFile, services: &[SourceFile]) -> Result<Self, Vec<Diagnostic>> {
        let mut log = Reporter::new(SourceText::new(fleet.path, fleet.text));
        let decoded = decode::<Fleet>(fleet.text, &mut log);
        let mut logs: Vec<_> = services
            .iter()
            .map(|file| Reporter::new(SourceText::new(file.path, file.text)))
            .collect();
        let mut files: Vec<_> = services
            .iter()
            .zip(&mut logs)
            .map(|(file, log)| decode_service(file.text, log))
            .collect();
        let members: Vec<_> = services
            .iter()
            .zip(&files)
            .map(|(file, decoded)| checked(file.path, decoded))
            .collect();
        if let (Some(fleet), Some(document)) = (&decoded.value, &decoded.document) {
            check_fleet(fleet, &members, document, &mut log);
        }
        let keyed = |document: &&Document| !document.root().entries().is_empty();
        check_members(decoded.document.as_ref().filter(keyed), &members, &mut logs);
        let services = services.iter().zip(files.drain(..));
        let services = services
            .filter_map(|(file, decoded)| {
                let service = decoded.value?;
                let root = folder::of(file.path).to_owned();
                Some((service.name.clone(), Member { root, service }))
            })
            .collect();
        let mut found = log.finish();
        let mut of_services: Vec<_> = logs.into_iter().flat_map(Reporter::finish).collect();
        of_services.sort();
        found.extend(of_services);
        finish(decoded.value.map(|fleet| Self { fleet, services }), found)
    }
}

fn decode_service(text: &str, log: &mut Reporter) -> Decoded<Service> {
    let decoded = decode::<Service>(text, log);
    if let (Some(service), Some(document)) = (&decoded.value, &decoded.document) {
        check_service(service, document, log);
    }
    decoded
}

fn checked<'d>(path: &'d str, decoded: &'d Decoded<Service>) -> CheckedService<'d> {
    let document = decoded.document.as_ref();
    let name = document.and_then(|document| document.find(&["service"])?.text()?.parse().ok());
    CheckedService { path, name, service: decoded.value.as_ref(), document }
}

pub(super) fn finish<V>(value: Option<V>, found: Vec<Diagnostic>) -> Result<V, Vec<Diagnostic>> {
    match value {
        Some(value) if found.is_empty() => Ok(value),
        Some(_) | None => Err(found),
    }
}
