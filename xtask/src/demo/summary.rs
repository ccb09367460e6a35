//! The last page of the demo: what runs where.

use super::stage::Stage;
use crate::shell::Outcome;
use serde_json::Value;
use std::collections::BTreeMap;

/// What runs where, and which pipelines brought it there.
pub struct Summary {
    pub services: Vec<Standing>,
    pipelines: Vec<Value>,
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
    /// Asks what runs where, and for the runs of pipelines after this one.
    pub fn of(stage: &Stage, after: u64) -> Outcome<Self> {
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
        let mut pipelines = runs(stage)?;
        pipelines.retain(|run| run["run"].as_u64() > Some(after));
        pipelines.reverse();
        Ok(Self { services: services.into_values().collect(), pipelines })
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
        lines.push(String::new());
        lines.push(line(["PIPELINE", "REVISION", "TIME", "STAGES RUN", "FROM CACHE"]));
        lines.extend(self.pipelines.iter().map(pipeline));
        format!("\n{}", lines.join("\n"))
    }
}

/// The number of the newest run; 0 if there is none.
pub fn newest_run(stage: &Stage) -> Outcome<u64> {
    Ok(runs(stage)?.first().and_then(|run| run["run"].as_u64()).unwrap_or(0))
}

/// The newest runs, newest first.
fn runs(stage: &Stage) -> Outcome<Vec<Value>> {
    let runs = stage.json(&["runs", "--limit", "50"])?;
    Ok(runs.as_array().cloned().unwrap_or_default())
}

fn pipeline(run: &Value) -> String {
    let commit: String = text(&run["revision"]["commit"]).chars().take(10).collect();
    let seconds = run["milliseconds"].as_f64().unwrap_or(0.0) / 1000.0;
    line([
        &text(&run["service"]),
        &commit,
        &format!("{seconds:.1} s"),
        &run["ran"].to_string(),
        &run["cached"].to_string(),
    ])
}

fn line([service, revision, digest, staging, production]: [&str; 5]) -> String {
    format!("{service:14} {revision:12} {digest:13} {staging:17} {production}")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}
