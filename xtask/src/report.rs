//! Figures that are reported and do not fail: sizes, dependencies, doubled versions.

use crate::{
    rings,
    shell::{self, Outcome},
};
use std::{collections::BTreeMap, fs, path::Path, process::Command};

/// How many of the longest files are shown.
const SHOWN: usize = 5;

/// Prints the longest files, the number of dependencies and doubled versions.
pub fn print() -> Outcome {
    shell::say("== report");
    let mut sizes = Vec::new();
    let listed =
        shell::read(Command::new("git").current_dir(shell::root()).args(["ls-files", "*.rs"]))?;
    for file in listed.lines().filter(|file| !file.contains("/tests/")) {
        sizes.push((code_lines(&shell::root().join(file))?, file));
    }
    sizes.sort_by(|left, right| right.cmp(left));
    let total: usize = sizes.iter().map(|(lines, _)| lines).sum();
    shell::print(&format!("{total} lines without tests in {} files; longest:", sizes.len()));
    for (lines, file) in sizes.iter().take(SHOWN) {
        shell::print(&format!("  {lines:>4} {file}"));
    }
    dependencies()
}

fn dependencies() -> Outcome {
    let metadata = rings::metadata()?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists packages")?;
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages.iter().filter(|package| !package["source"].is_null()) {
        let name = package["name"].as_str().unwrap_or_default();
        versions.entry(name).or_default().push(package["version"].as_str().unwrap_or_default());
    }
    shell::print(&format!("{} dependencies; in several versions:", versions.len()));
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        shell::print(&format!("  {name} {}", versions.join(", ")));
    }
    Ok(())
}

/// Lines before the tests of a file.
fn code_lines(file: &Path) -> Outcome<usize> {
    let text = fs::read_to_string(file)?;
    Ok(text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count())
}
