//! The configuration of an image: OCI's fields and those of Docker that OCI leaves out
//! (`Healthcheck`, `Shell`, `OnBuild`; moby's image specification v1.2). Maps are sorted, so that
//! equal configurations are equal bytes.

use crate::set;
use fairway_model::Digest;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The configuration of an image (OCI image spec, "Image Configuration").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// When it was made (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The processor it is for, in Go's words (`amd64`).
    pub architecture: String,
    /// The operating system it is for.
    pub os: String,
    /// How its containers run.
    #[serde(default)]
    pub config: Execution,
    /// Its layers.
    pub rootfs: RootFs,
    /// How each layer and each change of the configuration came to be.
    #[serde(default)]
    pub history: Vec<History>,
}

/// How containers of an image run if nothing else is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Execution {
    /// `user`, `uid`, `user:group` or `uid:gid`; root when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// `8080/tcp`.
    #[serde(with = "set", skip_serializing_if = "BTreeSet::is_empty")]
    pub exposed_ports: BTreeSet<String>,
    /// `NAME=value`, in the order in which they were set.
    #[serde(deserialize_with = "absent_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// What comes before the arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// The arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Directories that are volumes.
    #[serde(with = "set", skip_serializing_if = "BTreeSet::is_empty")]
    pub volumes: BTreeSet<String>,
    /// An absolute path; `/` when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    /// Free text by name.
    #[serde(deserialize_with = "absent_is_empty", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The signal that asks it to stop: a name or a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// When it is healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// The shell of RUN, CMD and ENTRYPOINT in their shell form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<Vec<String>>,
    /// Instructions for images built on this one.
    #[serde(deserialize_with = "absent_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub on_build: Vec<String>,
}

/// When a container is healthy. Durations are in nanoseconds; 0 stands for Docker's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Healthcheck {
    /// `["NONE"]`, `["CMD", program, arguments..]` or `["CMD-SHELL", command]`.
    pub test: Vec<String>,
    /// Between two checks; 30 s when 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub interval: u64,
    /// For one check; 30 s when 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: u64,
    /// In which failures do not count.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_period: u64,
    /// Between two checks in the start period; 5 s when 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_interval: u64,
    /// Failures in a row that make it unhealthy; 3 when 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u64,
}

/// The layers of an image by the digests of their tars, the lowest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The digest of each layer's uncompressed tar.
    pub diff_ids: Vec<Digest>,
}

/// How one layer or one change of the configuration came to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// When (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The instruction.
    #[serde(default)]
    pub created_by: String,
    /// Whether it made no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}

impl ImageConfig {
    /// The configuration of an image without layers, for this machine.
    pub fn empty() -> Self {
        Self {
            created: None,
            architecture: architecture().to_owned(),
            os: "linux".to_owned(),
            config: Execution::default(),
            rootfs: RootFs { kind: "layers".to_owned(), diff_ids: Vec::new() },
            history: Vec::new(),
        }
    }
}

/// This machine's processor in Go's words, which OCI uses.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Docker writes `null` for what is empty.
fn absent_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_by_docker_is_read() {
        let text = r#"{"architecture":"amd64","os":"linux","config":{"Env":null,"Volumes":null,
            "ExposedPorts":{"80/tcp":{}},"Cmd":["sh"],"Labels":null,"OnBuild":null,
            "Healthcheck":{"Test":["CMD","true"],"Interval":5000000000}},
            "rootfs":{"type":"layers","diff_ids":[]},"history":[{"created_by":"x","empty_layer":true}]}"#;
        let config: ImageConfig = serde_json::from_str(text).unwrap();
        assert_eq!(config.config.exposed_ports.first().unwrap(), "80/tcp");
        assert_eq!(config.config.healthcheck.as_ref().unwrap().interval, 5_000_000_000);
        let again = serde_json::from_str(&serde_json::to_string(&config).unwrap()).unwrap();
        assert_eq!(config, again);
    }
}
