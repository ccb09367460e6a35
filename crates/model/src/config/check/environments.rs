//! What must hold among environments.

use crate::config::reporter::Reporter;
use crate::config::stage_order::order;
use crate::config::yaml::Document;
use crate::config::{Fleet, Service};
use crate::{EnvironmentName, closest};
use std::collections::HashMap;

/// Reports environments that follow one that does not exist, or each other in a circle, or that
/// want the same port.
pub(super) fn check_chain(fleet: &Fleet, file: &Document, log: &mut Reporter) {
    let names = fleet.environments.iter().map(|environment| environment.name.as_str());
    let places: HashMap<&str, usize> = names.zip(0..).collect();
    let mut needs = Vec::new();
    let mut ports: HashMap<u16, &EnvironmentName> = HashMap::new();
    for environment in &fleet.environments {
        let name = environment.name.as_str();
        let from = environment.from.as_ref().map(EnvironmentName::as_str);
        let place = from.and_then(|from| places.get(from).copied());
        if let Some(from) = from.filter(|from| !file.has(&["environments", from])) {
            let span = file.value_span(&["environments", name, "from"]);
            let wrong = log.diagnose(span, format!("there is no environment `{from}`"));
            log.report(wrong.suggest(closest(from, file.keys(&["environments"]))));
        }
        if let Some(port) = environment.port
            && let Some(other) = ports.insert(port, &environment.name)
        {
            let span = file.value_span(&["environments", name, "port"]);
            log.error(span, format!("port {port} is taken by environment `{other}`"));
        }
        needs.push(place.into_iter().collect::<Vec<_>>());
    }
    let Err(cycle) = order(&needs) else { return };
    let mut names: Vec<_> = cycle.iter().map(|&at| fleet.environments[at].name.as_str()).collect();
    let span = file.value_span(&["environments", names[0], "from"]);
    names.push(names[0]);
    let circle = names.join("` -> `");
    log.error(span, format!("environments follow each other in a circle: `{circle}`"));
}

/// Reports overlays of environments that `fleet.yaml` does not have.
pub(super) fn check_overlays(
    service: &Service,
    fleet: &Document,
    file: &Document,
    log: &mut Reporter,
) {
    for name in service.environments.keys() {
        if fleet.has(&["environments", name.as_str()]) {
            continue;
        }
        let span = file.key_span(&["environments", name.as_str()]);
        let wrong = log.diagnose(span, format!("there is no environment `{name}` in the fleet"));
        let wrong = wrong.label("declare it in `fleet.yaml`");
        log.report(wrong.suggest(closest(name.as_str(), fleet.keys(&["environments"]))));
    }
}
