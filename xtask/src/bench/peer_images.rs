//! Buildah and Docker with a base that Fairway made.

use super::{containers::pack, docker::Docker, place::Place};
use crate::shell::{self, Outcome};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What the built image is called.
const NAME: &str = "built";

/// Both builders, with the base.
pub struct Peers {
    docker: Docker,
    storage: PathBuf,
}

impl Peers {
    /// Starts Docker and gives the root directory and environment of a base to both.
    pub fn start(place: &Place, home: &str, base: &str) -> Outcome<Self> {
        let dir = place.fresh("peers")?;
        let tar = dir.join("base.tar");
        let environment = export(place, home, base, &tar)?;
        let docker = Docker::start(place)?;
        docker.import(&tar, &environment, base)?;
        let archive = dir.join("base.docker");
        shell::run(docker.command(&["save", "--output"]).arg(&archive).arg(base))?;
        let peers = Self { docker, storage: dir.join("buildah") };
        let mut pull = peers.buildah(&["pull", "--quiet"]);
        pull.arg(format!("docker-archive:{}", archive.display())).stdout(Stdio::null());
        shell::run(&mut pull)?;
        Ok(peers)
    }

    /// Builds a context's Dockerfile with Buildah.
    pub fn buildah_build(&self, context: &Path, options: &[&str]) -> Command {
        let mut command = self.buildah(&["bud", "--layers", "--quiet", "--network", "host"]);
        command.args(options).args(["--tag", NAME]).arg(context);
        command
    }

    /// Builds a context's Dockerfile with Docker.
    pub fn docker_build(&self, context: &Path, options: &[&str]) -> Command {
        let mut command = self.docker.command(&["build", "--quiet", "--network", "none"]);
        command.args(options).args(["--tag", NAME]).arg(context);
        command
    }

    /// Stops Docker and removes what Buildah has.
    pub fn end(self) -> Outcome {
        shell::run(self.buildah(&["rmi", "--all", "--force"]).stdout(Stdio::null()))?;
        std::fs::remove_dir_all(self.storage)?;
        Ok(())
    }

    fn buildah(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("buildah");
        command.arg("--root").arg(self.storage.join("root"));
        command.arg("--runroot").arg(self.storage.join("run"));
        command.args(["--storage-driver", "overlay"]).args(arguments);
        // Without it, whatever is installed would be found; Docker uses this one.
        command.env("BUILDAH_RUNTIME", "runc");
        command
    }
}

/// Writes the root directory of an image as a tar; returns its environment as changes of a
/// configuration.
fn export(place: &Place, home: &str, image: &str, tar: &Path) -> Outcome<Vec<String>> {
    let program = place.example("fairway-image", "rootfs")?;
    let said = shell::read(Command::new(program).arg(place.path(home)).arg(image))?;
    let mut lines = said.lines();
    let lower = lines.next().ok_or("an image has layers")?;
    let environment = lines.map(|variable| format!("ENV {variable}")).collect();
    let mount = place.fresh("mount")?;
    // One layer cannot be mounted alone without a second.
    let empty = place.fresh("empty")?;
    let options = format!("ro,lowerdir={lower}:{}", empty.display());
    let mut command = Command::new("mount");
    command.args(["-t", "overlay", "overlay", "-o", &options]).arg(&mount);
    shell::run(&mut command)?;
    let packed = pack(&mount, tar);
    shell::run(Command::new("umount").arg(&mount))?;
    packed.map(|()| environment)
}
