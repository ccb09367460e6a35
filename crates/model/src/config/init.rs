//! The first `fairway.yaml` of a service, from what lies in its folder.

use crate::{FleetName, ImageRef, ServiceName};
use std::fmt::Write;

/// What lies in the folder of a service.
#[derive(Debug, Clone, Copy)]
pub struct ServiceFolder<'t> {
    /// The text of its `Dockerfile`.
    pub dockerfile: &'t str,
    /// The names of the files in it.
    pub files: &'t [&'t str],
}

/// How services of one kind are tested.
struct Kind {
    /// A file that only services of this kind have.
    file: &'static str,
    steps: &'static [&'static str],
    cache: &'static str,
}

/// The kinds, the more telling ones first.
const KINDS: &[Kind] = &[
    Kind { file: "package-lock.json", steps: &["npm ci", "npm test"], cache: "~/.npm" },
    Kind { file: "package.json", steps: &["npm install", "npm test"], cache: "~/.npm" },
    Kind { file: "go.mod", steps: &["go vet ./...", "go test ./..."], cache: "~/.cache/go-build" },
    Kind {
        file: "requirements.txt",
        steps: &["pip install -r requirements.txt", "python3 -m pytest --junitxml=junit.xml"],
        cache: "~/.cache/pip",
    },
    Kind {
        file: "pyproject.toml",
        steps: &["pip install .", "python3 -m pytest --junitxml=junit.xml"],
        cache: "~/.cache/pip",
    },
];

/// Writes a `fairway.yaml` that can be used as it is, with comments that say what else there is.
pub fn init_service(name: &ServiceName, folder: &ServiceFolder) -> String {
    let facts = Facts::of(folder.dockerfile);
    let mut text = format!(
        "# One service: what it is, what it uses, how it is tested.\n\
         service: {name}\n\
         build: {{ dockerfile: Dockerfile }}\n\n"
    );
    push_port(&mut text, name, facts.port);
    text.push_str(
        "# Limits of one container.\n\
         # resources: { memory: 256Mi, cpus: 0.5 }\n\n\
         # Variables of its environment. Secrets are set with `fairway secret set`.\n\
         # env: { DATABASE_URL: \"postgres://app:${secret:db_password}@db/app\" }\n\n\
         # What it uses: databases and queues as images, and other services of the fleet.\n\
         # uses:\n\
         #   db:\n\
         #     image: postgres:15\n\
         #     data: /var/lib/postgresql/data\n\
         #     env: { POSTGRES_PASSWORD: \"${secret:db_password}\" }\n\
         #   catalog: { service: catalog }\n\n",
    );
    push_pipeline(&mut text, folder.files, facts.image.as_ref());
    text
}

/// Writes a `fleet.yaml` for services in folders that a pattern names.
pub fn init_fleet(name: &FleetName, services: &str) -> String {
    format!(
        "# All the services of one product, and where they run.\n\
         fleet: {name}\n\
         services: [{services}]\n\n\
         # Images made on this machine, by the name under which Dockerfiles and services use them.\n\
         bases:\n  \
         debian:bookworm: {{ debian: bookworm }}\n  \
         # postgres:15: {{ dockerfile: images/postgres }}\n\n\
         # A release reaches production after it ran in staging.\n\
         environments:\n  \
         staging: {{ engine: embedded }}\n  \
         production: {{ engine: embedded, from: staging }}\n"
    )
}

fn push_port(text: &mut String, name: &ServiceName, port: Option<u16>) {
    let known = match port {
        Some(port) => format!(
            "# The port it listens on, as the Dockerfile exposes it.\n\
             port: {port}\n\n\
             # When it is ready; without this, when its port accepts connections.\n\
             # ready: {{ http: /healthz }}\n\n\
             # Which requests the gateway sends to it.\n\
             routes:\n  \
             - {{ path: /{name} }}\n\n"
        ),
        None => format!(
            "# The port it listens on, if it does, and which requests the gateway sends to it.\n\
             # port: 8080\n\
             # ready: {{ http: /healthz }}\n\
             # routes:\n\
             #   - {{ path: /{name} }}\n\n"
        ),
    };
    text.push_str(&known);
}

fn push_pipeline(text: &mut String, files: &[&str], image: Option<&ImageRef>) {
    text.push_str("# What is tested before a release. Stages without `needs` run side by side.\n");
    let Some(kind) = KINDS.iter().find(|kind| files.contains(&kind.file)) else {
        text.push_str(
            "# pipeline:\n#   stages:\n#     unit:\n#       steps: [make test]\n\
             #       reports: [junit.xml]\n",
        );
        return;
    };
    text.push_str("pipeline:\n");
    let mut line = |line: std::fmt::Arguments| {
        writeln!(text, "{line}").expect("writing to a string cannot fail");
    };
    if let Some(image) = image {
        line(format_args!("  image: \"{image}\""));
    }
    line(format_args!("  stages:\n    unit:\n      steps:"));
    for step in kind.steps {
        line(format_args!("        - {step}"));
    }
    if kind.steps.iter().any(|step| step.contains("junit.xml")) {
        line(format_args!("      reports: [junit.xml]"));
    }
    line(format_args!("      cache: [{}]", kind.cache));
}

/// What a Dockerfile says about its image.
#[derive(Debug, Default, PartialEq, Eq)]
struct Facts {
    /// The first port of its last stage.
    port: Option<u16>,
    /// What its first stage is made from: where its tools are.
    image: Option<ImageRef>,
}

impl Facts {
    fn of(dockerfile: &str) -> Self {
        let mut facts = Self::default();
        let mut is_first = true;
        for line in dockerfile.replace("\\\r\n", " ").replace("\\\n", " ").lines() {
            let mut words = line.split_whitespace();
            let instruction = words.next().unwrap_or_default().to_ascii_uppercase();
            match instruction.as_str() {
                "FROM" => {
                    let from = words.find(|word| !word.starts_with("--"));
                    if is_first {
                        facts.image = from.and_then(base);
                    }
                    is_first = false;
                    facts.port = None;
                }
                "EXPOSE" => facts.port = facts.port.or_else(|| words.find_map(port)),
                _ => {}
            }
        }
        facts
    }
}

/// An image that is made from something and named without variables.
fn base(name: &str) -> Option<ImageRef> {
    if name == "scratch" { None } else { name.parse().ok() }
}

fn port(word: &str) -> Option<u16> {
    let number = word.strip_suffix("/tcp").unwrap_or(word);
    number.parse().ok().filter(|&port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_that_of_the_last_stage() {
        let facts = Facts::of(
            "# syntax\nFROM --platform=linux/amd64 golang:1.19 AS build\nEXPOSE 1\n\
             FROM debian:bookworm\nexpose 53/udp \\\n  8080/tcp 9090\n",
        );
        assert_eq!(facts.port, Some(8080));
        assert_eq!(facts.image, "golang:1.19".parse().ok());
    }

    #[test]
    fn what_is_not_said_plainly_is_left_open() {
        assert_eq!(Facts::of("FROM node:${VERSION}\nEXPOSE $PORT 0 70000\n"), Facts::default());
        assert_eq!(Facts::of("FROM scratch\n"), Facts::default());
        assert_eq!(Facts::of(""), Facts::default());
    }
}
