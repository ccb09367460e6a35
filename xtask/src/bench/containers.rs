//! Create, run `true`, delete: the embedded engine, runc and Docker.

use super::{
    docker::{self, Docker},
    place::Place,
    samples::{in_turns, milliseconds},
    table::{Quantity, Row},
};
use crate::shell::{self, Outcome};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

const WARMUPS: usize = 3;
const ROUNDS: usize = 25;

/// Measures.
pub fn measure(place: &Place) -> Outcome<Vec<Row>> {
    let mut engine = Engine::start(place)?;
    let bundle = Bundle::make(place)?;
    let docker = Docker::start(place)?;
    docker.import(&bundle.tar()?, &[], "busybox")?;
    let medians = {
        let engine = std::cell::RefCell::new(&mut engine);
        let docker_run = |arguments: &[&str]| {
            let mut command = docker.command(&["run", "--rm"]);
            milliseconds(command.args(arguments).args(["busybox", "/bin/true"]))
        };
        in_turns(
            WARMUPS,
            ROUNDS,
            vec![
                Box::new(|| engine.borrow_mut().ask("none")),
                Box::new(|| bundle.run()),
                Box::new(|| docker_run(&["--network", "none"])),
                Box::new(|| engine.borrow_mut().ask("network")),
                Box::new(|| docker_run(&[])),
            ],
        )?
    };
    engine.end()?;
    drop(docker);
    docker::clean(place)?;
    let [alone, runc, docker_alone, connected, docker_connected] = medians[..] else {
        return Err("each contender has a median".into());
    };
    let ms = |value| Quantity { value, unit: "ms" };
    let sixth = 1.0 / 6.0;
    let none = ("docker run --rm --network none", docker_alone);
    Ok(vec![
        Row::ratio("container without network", ms(alone), ("runc run", runc), 0.5),
        Row::ratio("container without network", ms(alone), none, sixth),
        Row::ratio(
            "container with network",
            ms(connected),
            ("docker run --rm", docker_connected),
            sixth,
        ),
    ])
}

/// The program `containers`, which holds the embedded engine.
struct Engine {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Engine {
    fn start(place: &Place) -> Outcome<Self> {
        let program = place.example("fairway-engine-embedded", "containers")?;
        let mut process = Command::new(program)
            .arg(place.fresh("containers")?)
            .arg(place.program())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = process.stdin.take().ok_or("its standard input is a pipe")?;
        let output = process.stdout.take().ok_or("its standard output is a pipe")?;
        Ok(Self { process, input, output: BufReader::new(output) })
    }

    /// One container of a kind; how many milliseconds it took.
    fn ask(&mut self, kind: &str) -> Outcome<f64> {
        writeln!(self.input, "{kind}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let microseconds: f64 =
            line.trim().parse().map_err(|_| "the embedded engine failed".to_owned())?;
        Ok(microseconds / 1000.0)
    }

    fn end(self) -> Outcome {
        let Self { mut process, input, .. } = self;
        drop(input);
        let status = process.wait()?;
        if status.success() { Ok(()) } else { Err(format!("`containers` failed: {status}").into()) }
    }
}

/// A bundle for runc: the same root directory, and the configuration that `runc spec` gives.
struct Bundle {
    dir: PathBuf,
}

impl Bundle {
    fn make(place: &Place) -> Outcome<Self> {
        let dir = place.fresh("bundle")?;
        fs::create_dir_all(dir.join("rootfs/bin"))?;
        fs::copy("/bin/busybox", dir.join("rootfs/bin/busybox"))?;
        symlink("busybox", dir.join("rootfs/bin/true"))?;
        shell::run(Command::new("runc").arg("spec").current_dir(&dir))?;
        let path = dir.join("config.json");
        let mut config: Value = serde_json::from_reader(File::open(&path)?)?;
        config["process"]["terminal"] = json!(false);
        config["process"]["args"] = json!(["/bin/true"]);
        fs::write(&path, serde_json::to_vec(&config)?)?;
        Ok(Self { dir })
    }

    fn run(&self) -> Outcome<f64> {
        let state = self.dir.join("state");
        let mut command = Command::new("runc");
        command.arg("--root").arg(state).args(["run", "fairway-bench"]).current_dir(&self.dir);
        milliseconds(&mut command)
    }

    fn tar(&self) -> Outcome<PathBuf> {
        let tar = self.dir.join("rootfs.tar");
        pack(&self.dir.join("rootfs"), &tar)?;
        Ok(tar)
    }
}

/// Writes a directory as a tar with numeric owners.
pub fn pack(dir: &Path, tar: &Path) -> Outcome {
    let mut command = Command::new("tar");
    shell::run(command.arg("--numeric-owner").arg("-C").arg(dir).arg("-cf").arg(tar).arg("."))
}
