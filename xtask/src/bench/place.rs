//! Where benchmarks work: a folder in cargo's target directory, and release builds.

use crate::shell::{self, Outcome};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
};

/// A folder that benchmarks share; what is costly to make stays in it for the next time.
#[derive(Debug)]
pub struct Place {
    target: PathBuf,
    dir: PathBuf,
    built: Built,
    /// Held as long as this lives: two benchmarks at once would measure each other.
    _lock: File,
}

/// How what is measured is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Built {
    /// As users get it.
    Release,
    /// With the tests and all that they need.
    ForTests,
}

impl Place {
    /// Finds the folder, waits until nobody else measures in it, and builds Fairway.
    pub fn prepare() -> Outcome<Self> {
        let place = Self::find(Built::Release)?;
        shell::say("building Fairway");
        build(&["--package", "fairway"])?;
        Ok(place)
    }

    /// The same with what the tests are built from: to see that benchmarks run.
    pub fn for_tests() -> Outcome<Self> {
        let place = Self::find(Built::ForTests)?;
        let all = ["build", "--quiet", "--workspace", "--all-features", "--bins", "--examples"];
        shell::run(&mut shell::cargo(&all))?;
        Ok(place)
    }

    fn find(built: Built) -> Outcome<Self> {
        let target = crate::rings::target_directory()?;
        let dir = target.join("bench");
        fs::create_dir_all(&dir)?;
        let lock = File::create(dir.join("lock"))?;
        lock.lock()?;
        Ok(Self { target, dir, built, _lock: lock })
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A folder in the folder, empty.
    pub fn fresh(&self, name: &str) -> Outcome<PathBuf> {
        let path = self.path(name);
        remove(&path)?;
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// The program.
    pub fn program(&self) -> PathBuf {
        self.folder().join("fairway")
    }

    fn folder(&self) -> PathBuf {
        self.target.join(match self.built {
            Built::Release => "release",
            Built::ForTests => "debug",
        })
    }

    /// A program of `crates/*/examples`, built.
    pub fn example(&self, package: &str, name: &str) -> Outcome<PathBuf> {
        if self.built == Built::Release {
            build(&["--package", package, "--example", name])?;
        }
        Ok(self.folder().join("examples").join(name))
    }

    /// Fairway with a data directory of the folder, as a user calls it in a fleet.
    pub fn fairway(&self, home: &str, fleet: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program());
        command.env("FAIRWAY_HOME", self.path(home)).current_dir(fleet).args(arguments);
        command
    }

    /// Copies a folder of the repository into the folder, as a repository of its own with one
    /// commit.
    pub fn fleet(&self, source: &str, name: &str) -> Outcome<PathBuf> {
        let fleet = self.path(name);
        remove(&fleet)?;
        shell::run(Command::new("cp").arg("-a").arg(shell::root().join(source)).arg(&fleet))?;
        commit(&fleet)?;
        Ok(fleet)
    }
}

/// Makes a folder a repository with one commit of all that is in it.
pub fn commit(folder: &Path) -> Outcome {
    let identity = ["-c", "user.name=Fairway bench", "-c", "user.email=bench@localhost"];
    let git = |arguments: &[&str]| {
        shell::run(Command::new("git").current_dir(folder).args(identity).args(arguments))
    };
    git(&["init", "--quiet"])?;
    git(&["add", "--all"])?;
    git(&["commit", "--quiet", "--message", "what is measured"])
}

fn build(arguments: &[&str]) -> Outcome {
    shell::run(shell::cargo(&["build", "--release", "--quiet"]).args(arguments))
}

/// Removes a folder, if it is there.
pub fn remove(path: &Path) -> Outcome {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => Ok(removed?),
    }
}
