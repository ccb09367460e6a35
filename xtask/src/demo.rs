//! `cargo xtask demo`: examples/shop from commit to releases, with the commands a user would type.

use crate::{
    machine,
    shell::{self, Outcome},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// What becomes of what the demo made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// The copy of the fleet goes; images stay, so that the next demo is quick.
    Clean,
    /// Everything stays.
    Keep,
}

/// The service whose second commit the demo makes.
const CHANGED: &str = "payments";

/// A copy of the example fleet in a repository of its own.
struct Demo {
    fairway: PathBuf,
    home: PathBuf,
    fleet: PathBuf,
}

/// Runs the demo.
pub fn run(afterwards: Afterwards) -> Outcome {
    machine::prepare(&[machine::PRODUCT])?;
    let target = build()?;
    let home = target.join("demo");
    let fleet = home.join(format!("shop-{}", std::process::id()));
    fs::create_dir_all(&home)?;
    let demo = Demo { fairway: target.join("release/fairway"), home: home.join("data"), fleet };
    let outcome = demo.commit_to_releases();
    match afterwards {
        Afterwards::Keep => shell::say(&format!("the fleet is in {}", demo.fleet.display())),
        Afterwards::Clean => fs::remove_dir_all(&demo.fleet)?,
    }
    outcome
}

/// Builds Fairway; returns cargo's target directory.
fn build() -> Outcome<PathBuf> {
    shell::run(&mut shell::cargo(&["build", "--release", "--quiet", "--package", "fairway"]))?;
    let metadata = crate::rings::metadata()?;
    let target = metadata["target_directory"].as_str().ok_or("cargo names its target directory")?;
    Ok(PathBuf::from(target))
}

impl Demo {
    fn commit_to_releases(&self) -> Outcome {
        let example = shell::root().join("examples/shop");
        shell::run(Command::new("cp").arg("-a").arg(&example).arg(&self.fleet))?;
        self.git(&["init", "--quiet"])?;
        self.commit("the shop")?;
        self.fairway("check both files of every service", &["check"])?;
        self.fairway("run every pipeline; each makes a release", &["run"])?;
        self.fairway("run them again: nothing is done twice", &["run"])?;
        let version = self.fleet.join("services").join(CHANGED).join("version.txt");
        change(&version)?;
        self.commit("a change to one service")?;
        self.fairway("run again: only what is affected is done", &["run"])
    }

    fn fairway(&self, purpose: &str, arguments: &[&str]) -> Outcome {
        shell::say(&format!("\n== {purpose}\n$ fairway {}", arguments.join(" ")));
        let start = Instant::now();
        let mut command = Command::new(&self.fairway);
        command.current_dir(&self.fleet).env("FAIRWAY_HOME", &self.home).args(arguments);
        shell::run(&mut command)?;
        shell::say(&format!("-- {:.1} s", start.elapsed().as_secs_f64()));
        Ok(())
    }

    fn commit(&self, message: &str) -> Outcome {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])
    }

    fn git(&self, arguments: &[&str]) -> Outcome {
        let identity = ["-c", "user.name=Fairway demo", "-c", "user.email=demo@localhost"];
        shell::run(Command::new("git").current_dir(&self.fleet).args(identity).args(arguments))
    }
}

fn change(version: &Path) -> Outcome {
    Ok(fs::write(version, "1.0.1\n")?)
}
