//! The last page of the demo: what runs where.

use super::stage::Stage;
use crate::shell::Outcome;
use serde_json::Value;
use std::collections::BTreeMap;

/// What runs where.
pub struct Summary {
    pub services: Vec<Standing>,
}

/// Where a service stands.
pub struct Standing {
    service: String,
    /// Of what runs in production.
    revision: String,
    digest: String,
    /// The release by environment.
    pub live: BTreeMap<String, String>,
}

impl Summary {
    /// Asks what runs where.
    pub fn of(stage: &Stage) -> Outcome<Self> {
        let mut services: BTreeMap<String, Standing> = BTreeMap::new();
        for environment in ["staging", "production"] {
            let status = stage.json(&["status", environment])?;
            for service in status[0]["services"].as_array().into_iter().flatten() {
                let name = text(&service["service"]);
                let standing = services.entry(name.clone()).or_insert_with(|| Standing {
                    service: name,
                    revision: String::new(),
                    digest: String::new(),
                    live: BTreeMap::new(),
                });
                standing.revision = text(&service["revision"]);
                standing.digest = text(&service["image"]);
                standing.live.insert(environment.to_owned(), text(&service["release"]));
            }
        }
        Ok(Self { services: services.into_values().collect() })
    }

    /// The table of the demo's end.
    pub fn table(&self) -> String {
        let mut lines = vec![line(["SERVICE", "REVISION", "DIGEST", "STAGING", "PRODUCTION"])];
        for standing in &self.services {
            let live = |name| standing.live.get(name).map_or("-", String::as_str);
            let digest: String =
                standing.digest.trim_start_matches("sha256:").chars().take(12).collect();
            lines.push(line([
                &standing.service,
                &standing.revision,
                &digest,
                live("staging"),
                live("production"),
            ]));
        }
        format!("\n{}", lines.join("\n"))
    }
}

fn line([service, revision, digest, staging, production]: [&str; 5]) -> String {
    format!("{service:14} {revision:12} {digest:13} {staging:17} {production}")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}
