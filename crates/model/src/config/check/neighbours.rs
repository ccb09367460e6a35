//! Neighbours that are services.

use super::fleet::Known;
use super::parts::{Part, parts};
use crate::config::reporter::Reporter;
use crate::config::yaml::Document;
use crate::config::{Neighbour, Service};
use crate::{ServiceName, closest};

/// Reports neighbours that are no service of the fleet, cannot be reached, or take the name of
/// another service.
pub(super) fn check_neighbours(
    service: &Service,
    known: &Known,
    file: &Document,
    log: &mut Reporter,
) {
    for part in parts(service, file) {
        if let Neighbour::Service(name) = part.neighbour {
            check_service(&part, name, known, file, log);
        }
        check_name(&part, known, file, log);
    }
}

fn check_service(
    part: &Part,
    name: &ServiceName,
    known: &Known,
    file: &Document,
    log: &mut Reporter,
) {
    let span = file.value_span(&part.key("service"));
    match known.services.get(name) {
        Some(service) if !service.has(&["port"]) => {
            let wrong = log.diagnose(span, format!("service `{name}` has no `port`"));
            log.report(wrong.label("so it cannot be reached"));
        }
        None if known.is_complete => {
            let wrong = log.diagnose(span, format!("there is no service `{name}` in the fleet"));
            let names = known.services.keys().map(ServiceName::as_str);
            log.report(wrong.suggest(closest(name.as_str(), names)));
        }
        Some(_) | None => {}
    }
}

/// A service is known by its name to the whole fleet, so the same short name for something else
/// would hide it.
fn check_name(part: &Part, known: &Known, file: &Document, log: &mut Reporter) {
    let Ok(name) = part.name.as_str().parse::<ServiceName>() else { return };
    let hides = known.services.contains_key(&name)
        && match part.neighbour {
            Neighbour::Image(_) => true,
            Neighbour::Service(service) => *service != name && known.services.contains_key(service),
            Neighbour::External(_) => false,
        };
    if hides {
        let path: Vec<_> = part.path.iter().map(String::as_str).collect();
        let wrong = format!("neighbour `{name}` hides the service of that name");
        let wrong = log.diagnose(file.key_span(&path), wrong);
        log.report(wrong.label(format!("write `service: {name}`, or choose another name")));
    }
}
