//! A machine for one test: a data directory and a fleet in a git repository.

use crate::{fleet, outcome::Outcome, remains};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The program under test.
pub const FAIRWAY: &str = env!("CARGO_BIN_EXE_fairway");

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_mins(1);

/// A data directory and a fleet, gone with the value. Nothing may be left running then.
pub struct World {
    dir: tempfile::TempDir,
    home: PathBuf,
}

impl World {
    /// With the tiny fleet, all of it committed.
    pub fn new() -> Self {
        Self::of(fleet::write)
    }

    /// With another fleet, all of it committed.
    pub fn of(write: fn(&Path)) -> Self {
        let world = Self::empty();
        write(&world.fleet());
        world.git(&["init", "--quiet", "--initial-branch=main"]);
        world.commit();
        world
    }

    /// Without files.
    pub fn empty() -> Self {
        let dir = tempfile::Builder::new().prefix("fairway-cli-").tempdir_in("/var/tmp").unwrap();
        fs::create_dir(dir.path().join("fleet")).unwrap();
        Self { home: dir.path().join("home"), dir }
    }

    /// Keeps the data elsewhere.
    pub fn with_home(mut self, home: &Path) -> Self {
        home.clone_into(&mut self.home);
        self
    }

    /// Where everything of this world lies.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The data directory.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The root of the fleet.
    pub fn fleet(&self) -> PathBuf {
        self.dir().join("fleet")
    }

    /// Writes a file of the fleet.
    pub fn write(&self, path: &str, text: &str) {
        fleet::write_file(&self.fleet(), path, text);
    }

    /// Commits all files.
    pub fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=change"]);
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = self.command("git");
        git.args(["-c", "user.name=tester", "-c", "user.email=tester@fleet.example"]);
        assert!(git.args(arguments).status().unwrap().success());
    }

    /// A program in the fleet's folder, with nothing of this machine's variables.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let programs = Path::new(FAIRWAY).parent().unwrap().display();
        command
            .current_dir(self.fleet())
            .env_clear()
            .env("PATH", format!("{programs}:/usr/sbin:/usr/bin:/sbin:/bin"))
            .env("HOME", self.dir().join("user"))
            .env("FAIRWAY_HOME", &self.home)
            .stdin(Stdio::null());
        command
    }

    /// The program under test, to be started.
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(FAIRWAY);
        command.args(arguments);
        command
    }

    /// Runs the program under test to its end.
    pub fn fairway(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&self.program(arguments).output().unwrap())
    }

    /// Runs the program under test with something on its standard input.
    pub fn fairway_with(&self, arguments: &[&str], input: &str) -> Outcome {
        let file = self.dir().join("input");
        fs::write(&file, input).unwrap();
        let mut command = self.program(arguments);
        Outcome::of(&command.stdin(fs::File::open(file).unwrap()).output().unwrap())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if thread::panicking() {
            remains::end_all(&self.home);
            return;
        }
        remains::take_down(self);
        remains::end_keeper(&self.home);
        remains::assert_gone(&self.home);
        remains::forget(&self.home);
    }
}

/// Waits until something is there.
#[track_caller]
pub fn until<T>(what: &str, mut seen: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = seen() {
            return value;
        }
        assert!(Instant::now() < deadline, "{what} does not come");
        thread::sleep(Duration::from_millis(10));
    }
}
