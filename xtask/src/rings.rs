//! Dependencies point inward only, and every licence is one we may ship.

use crate::shell::{self, Outcome, cargo};
use serde_json::Value;
use std::path::PathBuf;

/// The rings from the outside in. A crate may use its own ring's mechanisms only where
/// [`WITHIN`] says so, and every ring further in.
const RINGS: [&[&str]; 5] = [
    &["fairway", "fairway-fuzz", "xtask"],
    &["fairway-api", "fairway-kurrent"],
    &[
        "fairway-pipeline",
        "fairway-delivery",
        "fairway-image",
        "fairway-gateway",
        "fairway-events",
        "fairway-read-models",
    ],
    &[
        "fairway-engine",
        "fairway-engine-embedded",
        "fairway-network",
        "fairway-layers",
        "fairway-blobs",
        "fairway-ledger",
        "fairway-ledger-postgres",
        "fairway-secrets",
        "fairway-subjects",
    ],
    &["fairway-model"],
];

/// The only dependencies between crates of one ring.
const WITHIN: [(&str, &str); 9] = [
    ("fairway-engine-embedded", "fairway-engine"),
    ("fairway-engine-embedded", "fairway-network"),
    ("fairway-engine-embedded", "fairway-layers"),
    ("fairway-engine-embedded", "fairway-blobs"),
    ("fairway-network", "fairway-engine"),
    ("fairway-layers", "fairway-blobs"),
    ("fairway-ledger-postgres", "fairway-ledger"),
    ("fairway-subjects", "fairway-ledger"),
    ("fairway-subjects", "fairway-ledger-postgres"),
];

const LICENCES: [&str; 14] = [
    "MPL-2.0",
    "Apache-2.0",
    "MIT",
    "MIT-0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unlicense",
    "0BSD",
    "Unicode-3.0",
    "CC0-1.0",
    "BSL-1.0",
    "Apache-2.0 WITH LLVM-exception",
];

/// Packages that state their licence in a file alone, all under the terms of MIT.
const STATED_IN_A_FILE: [&str; 1] = ["rust-criu"];

/// Checks the rings and the licences; names everything that is wrong.
pub fn check() -> Outcome {
    let metadata = metadata()?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists packages")?;
    let mut wrong: Vec<String> = Vec::new();
    for package in packages {
        let name = text(&package["name"]);
        match ring_of(name) {
            Some(_) => wrong.extend(outward(name, package)),
            None if package["source"].is_null() => wrong.push(format!("`{name}` is in no ring")),
            None => wrong.extend(unlicensed(name, text(&package["license"]))),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n  ").into()) }
}

/// Everything cargo knows of the packages on this platform.
pub fn metadata() -> Outcome<Value> {
    let target = ["--filter-platform", "x86_64-unknown-linux-gnu"];
    let mut command = cargo(&["metadata", "--format-version", "1", "--locked"]);
    Ok(serde_json::from_str(&shell::read(command.args(target))?)?)
}

/// The folder in which cargo builds.
pub fn target_directory() -> Outcome<PathBuf> {
    let metadata = metadata()?;
    Ok(metadata["target_directory"].as_str().ok_or("cargo names its target")?.into())
}

fn ring_of(name: &str) -> Option<usize> {
    RINGS.iter().position(|ring| ring.contains(&name))
}

fn outward(name: &str, package: &Value) -> Vec<String> {
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours = dependencies.iter().filter(|dependency| dependency["kind"].is_null());
    ours.map(|dependency| text(&dependency["name"]))
        .filter(|dependency| !may_use(name, dependency))
        .map(|dependency| format!("`{name}` must not use `{dependency}`"))
        .collect()
}

fn may_use(name: &str, dependency: &str) -> bool {
    match (ring_of(name), ring_of(dependency)) {
        (Some(own), Some(other)) => own < other || WITHIN.contains(&(name, dependency)),
        _ => true,
    }
}

/// An SPDX expression is fine if one of its alternatives is.
fn unlicensed(name: &str, expression: &str) -> Option<String> {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    let fine = plain.split(" OR ").any(|alternative| {
        alternative.split(" AND ").all(|licence| LICENCES.contains(&licence.trim()))
    });
    let fine = fine || STATED_IN_A_FILE.contains(&name);
    (!fine).then(|| format!("`{name}` has the licence `{expression}`, which we may not ship"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_point_inward_only() {
        assert!(may_use("fairway", "fairway-model"));
        assert!(may_use("fairway-layers", "fairway-blobs"));
        assert!(!may_use("fairway-model", "fairway-engine"));
        assert!(!may_use("fairway-pipeline", "fairway-delivery"));
    }

    #[test]
    fn every_crate_of_the_workspace_is_in_its_ring() {
        check().expect("rings and licences hold");
    }

    #[test]
    fn one_fine_alternative_of_a_licence_is_enough() {
        assert_eq!(unlicensed("a", "GPL-3.0 OR MIT"), None);
        assert_eq!(unlicensed("a", "(MIT OR Apache-2.0) AND Unicode-3.0"), None);
        assert!(unlicensed("a", "MIT AND GPL-3.0").is_some());
    }
}
