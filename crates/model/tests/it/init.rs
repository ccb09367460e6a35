//! What `fairway init` writes.

use expect_test::expect;
use fairway_model::config::{FleetConfig, ServiceFolder, SourceFile, init_fleet, init_service};
use fairway_model::{Colour, render_all};

fn init(dockerfile: &str, files: &[&str]) -> String {
    let name = "orders".parse().expect("a name");
    init_service(&name, &ServiceFolder { dockerfile, files })
}

#[test]
fn a_service_with_a_dockerfile_gets_a_file_that_says_what_there_is() {
    expect![[r##"
        # One service: what it is, what it uses, how it is tested.
        service: orders
        build: { dockerfile: Dockerfile }

        # The port it listens on, as the Dockerfile exposes it.
        port: 8080

        # When it is ready; without this, when its port accepts connections.
        # ready: { http: /healthz }

        # Which requests the gateway sends to it.
        routes:
          - { path: /orders }

        # Limits of one container.
        # resources: { memory: 256Mi, cpus: 0.5 }

        # Variables of its environment. Secrets are set with `fairway secret set`.
        # env: { DATABASE_URL: "postgres://app:${secret:db_password}@db/app" }

        # What it uses: databases and queues as images, and other services of the fleet.
        # uses:
        #   db:
        #     image: postgres:15
        #     data: /var/lib/postgresql/data
        #     env: { POSTGRES_PASSWORD: "${secret:db_password}" }
        #   catalog: { service: catalog }

        # What is tested before a release. Stages without `needs` run side by side.
        pipeline:
          image: "node:18"
          stages:
            unit:
              steps:
                - npm ci
                - npm test
              cache: [~/.npm]
    "##]]
    .assert_eq(&init(
        "FROM node:18\nEXPOSE 8080\n",
        &["Dockerfile", "package.json", "package-lock.json"],
    ));
}

#[test]
fn whatever_lies_in_the_folder_the_file_is_right() {
    let fleet = init_fleet(&"shop".parse().unwrap(), "services/*");
    let fleet = fleet.replace("# postgres", "debian: { debian: bookworm }\n  # postgres");
    for dockerfile in
        ["FROM debian:bookworm\nEXPOSE 80\n", "FROM debian\n", "FROM $X\nEXPOSE 1/tcp", ""]
    {
        for file in [
            "package.json",
            "package-lock.json",
            "go.mod",
            "requirements.txt",
            "pyproject.toml",
            "x",
        ] {
            let text = init(dockerfile, &[file]);
            let files = [SourceFile { path: "services/orders/fairway.yaml", text: &text }];
            let config = FleetConfig::load(SourceFile { path: "fleet.yaml", text: &fleet }, &files);
            let found = config.err().unwrap_or_default();
            assert!(found.is_empty(), "{text}\n{}", render_all(&found, Colour::Off));
        }
    }
}

#[test]
fn what_is_commented_out_is_right_too() {
    let text = init("FROM node:18\nEXPOSE 8080\n", &[]);
    let text: Vec<_> = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key) if key.starts_with(' ') || key.split(' ').next().unwrap().contains(':') => {
                key
            }
            _ => line,
        })
        .collect();
    let found = fairway_model::config::Service::decode("fairway.yaml", &text.join("\n"));
    let found = found.err().unwrap_or_default();
    assert!(found.is_empty(), "{}", render_all(&found, Colour::Off));
}
