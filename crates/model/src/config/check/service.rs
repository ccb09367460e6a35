//! What must hold within one `fairway.yaml`.

use super::stages::check_stages;
use crate::config::reporter::Reporter;
use crate::config::yaml::Document;
use crate::config::{Probe, Service};
use crate::{NeighbourName, closest};

/// Reports what contradicts itself within one service.
pub(in crate::config) fn check_service(service: &Service, file: &Document, log: &mut Reporter) {
    check_stages(service, file, log);
    check_overlays(service, file, log);
    check_port(service, file, log);
}

fn check_overlays(service: &Service, file: &Document, log: &mut Reporter) {
    for (environment, overlay) in &service.environments {
        let is_unknown = |name: &&NeighbourName| !file.has(&["uses", name.as_str()]);
        for name in overlay.uses.keys().filter(is_unknown) {
            let path = ["environments", environment.as_str(), "uses", name.as_str()];
            let wrong = format!("there is no neighbour `{name}` to replace");
            let wrong = log.diagnose(file.key_span(&path), wrong);
            let wrong = wrong.label("declare it in the `uses` of the service");
            log.report(wrong.suggest(closest(name.as_str(), file.keys(&["uses"]))));
        }
    }
}

fn check_port(service: &Service, file: &Document, log: &mut Reporter) {
    if file.has(&["port"]) {
        return;
    }
    let probe = service.ready.as_ref().map(|ready| &ready.probe);
    let probed = match probe {
        Some(Probe::Http { port: None, .. }) => Some(["ready", "http"]),
        Some(Probe::Tcp { port: None }) => Some(["ready", "tcp"]),
        Some(Probe::Http { .. } | Probe::Tcp { .. } | Probe::Exec(_) | Probe::Log(_)) | None => {
            None
        }
    };
    let missing = |span, what: &str, log: &mut Reporter| {
        let wrong = log.diagnose(span, format!("{what}, but the service has no `port`"));
        log.report(wrong.label("add `port: …` to the service"));
    };
    if let Some(path) = probed {
        missing(file.key_span(&path), "a port is probed", log);
    }
    if !service.routes.is_empty() {
        missing(file.key_span(&["routes"]), "the gateway sends requests", log);
    }
}
