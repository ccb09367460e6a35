//! What must hold over the whole fleet.

use super::environments::{check_chain, check_overlays};
use super::images::{ImageSources, check_images};
use super::inputs::check_inputs;
use super::neighbours::check_neighbours;
use super::routes::RouteTable;
use crate::ServiceName;
use crate::config::reporter::Reporter;
use crate::config::yaml::Document;
use crate::config::{Fleet, Service, folder};
use std::collections::BTreeMap;

/// The services of a fleet by name.
pub(super) struct Known<'s> {
    /// Each service with its file.
    pub(super) services: BTreeMap<ServiceName, &'s Document>,
    /// Whether the name of every service could be read.
    pub(super) is_complete: bool,
}

/// A service with what it was read from.
pub(in crate::config) struct Member<'s> {
    pub(in crate::config) path: &'s str,
    pub(in crate::config) name: Option<ServiceName>,
    pub(in crate::config) service: Option<&'s Service>,
    pub(in crate::config) document: Option<&'s Document>,
}

/// Reports what is wrong with `fleet.yaml` by itself, and folders it names that are not there.
pub(in crate::config) fn check_fleet(
    fleet: &Fleet,
    members: &[Member],
    file: &Document,
    log: &mut Reporter,
) {
    check_chain(fleet, file, log);
    for (index, pattern) in fleet.services.iter().enumerate() {
        let is_there = |member: &Member| folder::matches(pattern, folder::of(member.path));
        if !members.iter().any(is_there) {
            let span = file.value_span(&["services", &index.to_string()]);
            let wrong = format!("no folder `{pattern}` has a `fairway.yaml`");
            let wrong = log.diagnose(span, wrong);
            log.report(wrong.hint("write one with `fairway init`"));
        }
    }
}

/// Reports what is wrong between services and with the fleet. The reporters are those of the
/// members, in the same order.
pub(in crate::config) fn check_members(
    fleet: Option<&Document>,
    members: &[Member],
    logs: &mut [Reporter],
) {
    check_names(members, logs);
    let known = known(members);
    let images = fleet.map(ImageSources::of);
    let mut routes = RouteTable::default();
    for (member, log) in members.iter().zip(logs) {
        let (Some(service), Some(file)) = (member.service, member.document) else { continue };
        check_neighbours(service, &known, file, log);
        check_inputs(service, folder::of(member.path), file, log);
        for (index, route) in service.routes.iter().enumerate() {
            if let Some(other) = routes.add(route, member.path) {
                let span = file.value_span(&["routes", &index.to_string()]);
                let wrong = log.diagnose(span, "the same route is there twice");
                log.report(wrong.label(format!("it is already in {other}")));
            }
        }
        if let Some(fleet) = fleet {
            check_overlays(service, fleet, file, log);
        }
        if let Some(images) = &images {
            check_images(service, images, file, log);
        }
    }
}

fn check_names(members: &[Member], logs: &mut [Reporter]) {
    let mut first: BTreeMap<&ServiceName, &str> = BTreeMap::new();
    for (member, log) in members.iter().zip(logs) {
        let (Some(name), Some(file)) = (&member.name, member.document) else { continue };
        if let Some(other) = first.get(name) {
            let span = file.value_span(&["service"]);
            let wrong = log.diagnose(span, format!("two services are named `{name}`"));
            log.report(wrong.label(format!("the other one is in {other}")));
            continue;
        }
        first.insert(name, member.path);
    }
}

fn known<'s>(members: &[Member<'s>]) -> Known<'s> {
    let named = |member: &Member<'s>| Some((member.name.clone()?, member.document?));
    Known {
        services: members.iter().filter_map(named).collect(),
        is_complete: members.iter().all(|member| member.name.is_some()),
    }
}
