//! Where the demo plays: a copy of the fleet in a repository of its own, and the program.

use crate::{
    machine,
    shell::{self, Outcome},
};
use serde_json::Value;
use std::{fs, path::PathBuf, process::Command, time::Instant};

/// What becomes of what the demo made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// Nothing is left running; images stay, so that the next demo is quick.
    Clean,
    /// Everything stays.
    Keep,
}

/// A copy of the example fleet in a repository of its own.
pub struct Stage {
    fairway: PathBuf,
    home: PathBuf,
    pub fleet: PathBuf,
}

impl Stage {
    /// Prepares the machine, builds Fairway and copies the fleet.
    pub fn build() -> Outcome<Self> {
        machine::prepare(&[machine::PRODUCT])?;
        shell::run(&mut shell::cargo(&["build", "--release", "--quiet", "--package", "fairway"]))?;
        let target = crate::rings::target_directory()?;
        let home = target.join("demo");
        let fleet = home.join("shop");
        fs::create_dir_all(&home)?;
        if fleet.exists() {
            fs::remove_dir_all(&fleet)?;
        }
        let example = shell::root().join("examples/shop");
        shell::run(Command::new("cp").arg("-a").arg(&example).arg(&fleet))?;
        let stage =
            Self { fairway: target.join("release/fairway"), home: home.join("data"), fleet };
        stage.git(&["init", "--quiet", "--initial-branch", "main"])?;
        stage.commit("the shop")?;
        Ok(stage)
    }

    /// Says what comes now.
    #[expect(clippy::unused_self, reason = "it is said on this stage")]
    pub fn chapter(&self, title: &str) {
        shell::say(&format!("\n== {title}"));
    }

    /// Runs a command as a user would; anything but exit code 0 is an error.
    pub fn fairway(&self, arguments: &[&str]) -> Outcome {
        let start = Instant::now();
        shell::say(&format!("$ fairway {}", arguments.join(" ")));
        shell::run(&mut self.command(arguments))?;
        shell::say(&format!("  ({:.1} s)", start.elapsed().as_secs_f64()));
        Ok(())
    }

    /// Runs a command that is to fail with exit code 1.
    pub fn fails(&self, arguments: &[&str]) -> Outcome {
        shell::say(&format!("$ fairway {}", arguments.join(" ")));
        let status = self.command(arguments).status()?;
        shell::say(&format!("  (exit code {})", status.code().unwrap_or(-1)));
        match status.code() {
            Some(1) => Ok(()),
            _ => Err(format!("`fairway {}` was to fail, and did not", arguments.join(" ")).into()),
        }
    }

    /// What a command prints as JSON.
    pub fn json(&self, arguments: &[&str]) -> Outcome<Value> {
        let text = shell::read(self.command(arguments).args(["--output", "json"]))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Commits all changes.
    pub fn commit(&self, message: &str) -> Outcome {
        shell::say(&format!("$ git commit --all --message '{message}'"));
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])
    }

    /// Changes a file of the fleet.
    pub fn edit(&self, path: &str, change: impl FnOnce(String) -> String) -> Outcome {
        let file = self.fleet.join(path);
        let (before, shown) = (fs::read_to_string(&file)?, format!("$ edit {path}"));
        let after = change(before.clone());
        if after == before {
            return Err(format!("`{path}` is not as the demo expects it").into());
        }
        shell::say(&shown);
        Ok(fs::write(file, after)?)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.fairway);
        command.current_dir(&self.fleet).env("FAIRWAY_HOME", &self.home).args(arguments);
        command
    }

    fn git(&self, arguments: &[&str]) -> Outcome {
        let identity = ["-c", "user.name=Fairway demo", "-c", "user.email=demo@localhost"];
        shell::run(Command::new("git").current_dir(&self.fleet).args(identity).args(arguments))
    }
}
