//! A large fleet is decoded and checked fast enough to do it on every command.

use fairway_model::config::{FleetConfig, SourceFile};
use std::time::{Duration, Instant};

const SERVICES: usize = 100;

/// What an unoptimised build may take; an optimised one takes a small part of it.
const LIMIT: Duration = Duration::from_millis(1500);

#[test]
fn a_hundred_services_are_loaded_at_once() {
    let fleet = "fleet: big\nbases: { 'postgres:15': { dockerfile: p }, 'node:18': { dockerfile: n }, \
                 redis: { dockerfile: r } }\nenvironments: { production: {} }\n";
    let valid = include_str!("valid.yaml");
    let files: Vec<(String, String)> = (0..SERVICES)
        .map(|number| {
            let text = valid
                .replace("service: orders", &format!("service: orders{number}"))
                .replace("service: catalog", &format!("service: orders{}", (number + 1) % SERVICES))
                .replace("/orders }", &format!("/orders{number} }}"))
                .replace("/api/orders", &format!("/api/orders{number}"));
            (format!("services/orders{number}/fairway.yaml"), text)
        })
        .collect();
    let files: Vec<_> = files.iter().map(|(path, text)| SourceFile { path, text }).collect();
    let start = Instant::now();
    let config = FleetConfig::load(SourceFile { path: "fleet.yaml", text: fleet }, &files);
    let took = start.elapsed();
    assert_eq!(config.unwrap().services.len(), SERVICES);
    assert!(took < LIMIT, "took {took:?}");
}
