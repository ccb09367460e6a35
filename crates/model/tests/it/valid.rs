//! Files that are right, and what becomes of them.

use expect_test::expect;
use fairway_model::config::{
    Base, Fleet, FleetConfig, ImageNeighbour, Neighbour, Prefix, Probe, Readiness, Service,
    SourceFile, Stage, StageUse, TemplatePart,
};
use fairway_model::{Colour, Diagnostic, render_all};
use std::time::Duration;

const FLEET: &str = r#"
fleet: shop
services: [services/*]
bases:
  debian:bookworm: { debian: bookworm }
  postgres:15: { dockerfile: images/postgres }
  node:18: { dockerfile: images/node }
environments:
  staging:    { engine: embedded }
  production: { engine: embedded, from: staging, port: 8081 }
"#;

const ORDERS: &str = r#"
service: orders
build: { dockerfile: Dockerfile }
inputs: [., ../../proto]
port: 8080
ready: { http: /healthz }
resources: { memory: 256Mi, cpus: 0.5 }
env: { DATABASE_URL: "postgres://orders:${secret:db_password}@db/orders" }
uses:
  db:
    image: "postgres:15"
    data: /var/lib/postgresql/data
    env: { POSTGRES_PASSWORD: "${secret:db_password}" }
    ready: { exec: [pg_isready] }
  catalog: { service: catalog }
routes:
  - { path: /orders }
environments:
  production: { replicas: 3, uses: { db: { external: "${secret:orders_db}" } } }
pipeline:
  image: "node:18"
  stages:
    unit:
      steps: [npm ci, npm test]
      reports: [junit.xml]
      artifacts: [dist/]
      cache: [~/.npm]
    contract:
      needs: [unit]
      uses: [db, catalog]
      steps: [npm run contract]
"#;

const CATALOG: &str = "service: catalog\nport: 8000\n";

fn shown(found: &[Diagnostic]) -> String {
    render_all(found, Colour::Off)
}

fn service(text: &str) -> Service {
    Service::decode("fairway.yaml", text).unwrap_or_else(|found| panic!("{}", shown(&found)))
}

fn orders() -> Service {
    service(ORDERS)
}

#[test]
fn a_fleet_is_loaded_with_its_services() {
    let files = [
        SourceFile { path: "services/orders/fairway.yaml", text: ORDERS },
        SourceFile { path: "services/catalog/fairway.yaml", text: CATALOG },
    ];
    let fleet = SourceFile { path: "fleet.yaml", text: FLEET };
    let config =
        FleetConfig::load(fleet, &files).unwrap_or_else(|found| panic!("{}", shown(&found)));
    let roots: Vec<_> =
        config.services.iter().map(|(name, one)| (name.as_str(), one.root.as_str())).collect();
    assert_eq!(roots, [("catalog", "services/catalog"), ("orders", "services/orders")]);
    let environments: Vec<_> =
        config.fleet.environments.iter().map(|one| (one.name.as_str(), one.port)).collect();
    assert_eq!(environments, [("staging", None), ("production", Some(8081))]);
    let base = &config.fleet.bases[&"debian:bookworm".parse().unwrap()];
    assert_eq!(base, &Base::Debian { suite: "bookworm".into(), packages: vec![] });
}

#[test]
fn a_neighbour_keeps_what_was_said_of_it() {
    let orders = orders();
    let Neighbour::Image(db) = &orders.uses[&"db".parse().unwrap()] else { panic!() };
    let ImageNeighbour { image, data, env, ready, .. } = &**db;
    assert_eq!(image.to_string(), "postgres:15");
    assert_eq!(data.as_deref(), Some("/var/lib/postgresql/data"));
    assert!(matches!(&env["POSTGRES_PASSWORD"].parts[..], [TemplatePart::Secret(_)]));
    assert_eq!(ready, &Some(Readiness::of(Probe::Exec(vec!["pg_isready".into()]))));
}

#[test]
fn stages_are_in_the_order_of_the_file_and_ordered_by_need() {
    let orders = orders();
    let stages: Vec<_> = orders.pipeline.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(stages, ["unit", "contract"]);
    let contract = &orders.pipeline.stages[1];
    assert!(matches!(&contract.uses[..], [StageUse::Named(_), StageUse::Named(_)]));
    assert_eq!(contract.timeout, Stage::TIMEOUT);
    assert_eq!(orders.pipeline.stages[0].artifacts, ["dist"]);
    let order: Vec<_> = orders.stage_order().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(order, ["build", "unit", "contract"]);
}

#[test]
fn a_stage_in_the_built_image_comes_after_build() {
    let text = "service: a\nbuild: { needs: [lint] }\npipeline:\n  stages:\n    \
                unit: { steps: test }\n    lint: { image: node, steps: lint }\n";
    let order: Vec<_> =
        service(text).stage_order().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(order, ["lint", "build", "unit"]);
}

#[test]
fn what_is_left_out_has_a_default() {
    let catalog = service(CATALOG);
    assert_eq!(catalog.build.dockerfile, "Dockerfile");
    assert_eq!(catalog.inputs, ["."]);
    assert_eq!(catalog.replicas, 1);
    assert!(catalog.pipeline.stages.is_empty());
}

#[test]
fn values_of_env_keep_their_source_text() {
    let text = "service: a\nenv:\n  A: 1.10\n  B: on\n  C: 0755\n  D: ~\n  E: ''\n  F: 'x y'\n  \
                G: 1e3\n  H: |\n    two\n    lines\n";
    let values: Vec<_> = service(text).env.values().map(ToString::to_string).collect();
    assert_eq!(values, ["1.10", "on", "0755", "~", "", "x y", "1e3", "two\nlines\n"]);
}

#[test]
fn anchors_merges_and_extensions_save_repetition() {
    let text = "x-limits: &limits { memory: 64Mi, cpus: 1 }\nservice: a\nresources:\n  \
                <<: *limits\n  cpus: 2\nenvironments:\n  staging:\n    x-note: anything [ goes\n    \
                resources: { <<: [*limits] }\n";
    let text = text.replace("anything [ goes", "{ any: [thing] }");
    let service = service(&text);
    assert_eq!(service.resources.memory.unwrap().0, 64 << 20);
    assert_eq!(service.resources.cpus.unwrap().milli, 2000);
    let staging = &service.environments[&"staging".parse().unwrap()];
    assert_eq!(staging.resources.unwrap().cpus.unwrap().milli, 1000);
}

#[test]
fn commands_are_texts_for_a_shell_or_lists() {
    let text = "service: a\nready: { exec: pg_isready -q, deadline: 1m30s }\nuses:\n  \
                q: { image: rabbitmq, command: [rabbitmq-server, -x] }\n";
    let service = service(text);
    let ready = service.ready.unwrap();
    assert_eq!(ready.probe, Probe::Exec(vec!["sh".into(), "-c".into(), "pg_isready -q".into()]));
    assert_eq!(ready.deadline, Duration::from_secs(90));
    let Neighbour::Image(queue) = &service.uses[&"q".parse().unwrap()] else { panic!() };
    assert_eq!(queue.command.as_ref().unwrap(), &["rabbitmq-server", "-x"]);
}

#[test]
fn probes_know_their_port() {
    for (ready, probe) in [
        ("{ tcp: 5432 }", Probe::Tcp { port: Some(5432) }),
        ("{ tcp: true }", Probe::Tcp { port: None }),
        (
            "{ http: { path: /up, port: 9000 } }",
            Probe::Http { path: "/up".into(), port: Some(9000) },
        ),
        ("{ log: listening on }", Probe::Log("listening on".into())),
    ] {
        let text = format!("service: a\nport: 80\nready: {ready}\n");
        assert_eq!(service(&text).ready.unwrap().probe, probe, "{ready}");
    }
}

#[test]
fn a_stage_can_have_neighbours_of_its_own() {
    for uses in ["[{ cache: { image: redis } }]", "{ cache: { image: redis } }"] {
        let text = format!(
            "service: a\npipeline:\n  stages:\n    it: {{ image: node, uses: {uses}, steps: make }}\n"
        );
        let stage = &service(&text).pipeline.stages[0];
        let [StageUse::Inline(name, Neighbour::Image(_))] = &stage.uses[..] else { panic!() };
        assert_eq!(name.as_str(), "cache");
        assert_eq!(stage.steps, ["make"]);
    }
}

#[test]
fn routes_are_brought_into_one_form() {
    let text = "service: a\nport: 80\nroutes:\n- { path: /orders/, strip: true }\n\
                - { host: '*.Shop.Example' }\n";
    let routes = service(text).routes;
    assert_eq!((routes[0].path.as_str(), routes[0].prefix), ("/orders", Prefix::Stripped));
    assert_eq!(routes[1].host.as_deref(), Some("*.shop.example"));
    assert_eq!((routes[1].path.as_str(), routes[1].prefix), ("/", Prefix::Kept));
}

#[test]
fn line_ends_and_byte_order_marks_change_nothing() {
    let text = format!("\u{feff}{}", ORDERS.replace('\n', "\r\n"));
    assert_eq!(service(&text), orders());
}

#[test]
fn the_folders_of_services_are_known_whatever_else_is_wrong() {
    for (text, patterns) in [
        ("fleet: Wrong\nservices: [a, b/*]\nenvironments: 1\n", vec!["a", "b/*"]),
        ("flet: shop\n", vec!["services/*"]),
        ("fleet: [", vec![]),
    ] {
        assert_eq!(Fleet::service_patterns(text), patterns, "{text}");
    }
}

#[test]
fn a_diagnostic_is_also_data() {
    let found = Service::decode("a/fairway.yaml", "service: a\nprot: 1\n").unwrap_err();
    expect![[r#"
        [
          {
            "path": "a/fairway.yaml",
            "line": 2,
            "column": 1,
            "length": 4,
            "message": "unknown key `prot`",
            "label": "known are `service`, `build`, `inputs`, `port`, `ready`, `resources`, `env`, `uses`, `routes`, `replicas`, `environments`, `pipeline`",
            "suggestion": "port"
          }
        ]"#]].assert_eq(&serde_json::to_string_pretty(&found).unwrap());
}
