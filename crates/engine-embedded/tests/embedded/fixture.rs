//! An engine in a directory of its own, with an image made of this machine's busybox.

use fairway_blobs::Blobs;
use fairway_engine::{Command, ContainerSpec};
use fairway_engine::{
    Host,
    conformance::{Case, HostSubject, Subject},
};
use fairway_engine_embedded::{Embedded, EmbeddedHost, Settings};
use fairway_layers::{ImageConfig, Layers};
use fairway_model::Digest;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
};

pub struct Fixture {
    dir: PathBuf,
    /// Removes the directory at the end, in the process that made it.
    owned: Option<tempfile::TempDir>,
    pub layers: Layers,
    pub image: Digest,
}

impl Fixture {
    pub fn new() -> Self {
        let owned = tempfile::tempdir_in("/var/tmp").unwrap();
        let mut fixture = Self::at(owned.path());
        fixture.owned = Some(owned);
        fixture
    }

    /// The one that another process made.
    pub fn at(dir: &Path) -> Self {
        let blobs = Blobs::open(dir.join("blobs")).unwrap();
        let layers = Layers::open(dir.join("layers"), blobs).unwrap();
        let image = busybox(&layers, |_| ());
        Self { dir: dir.to_owned(), owned: None, layers, image }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// An engine of its own for a case, in a group of its own.
    pub fn subject(&self, case: &Case) -> Subject {
        let engine = Arc::new(self.engine());
        let group = format!("t-{}", Digest::of(case.name).short()).parse().unwrap();
        Subject { sandbox: engine.clone(), dial: engine, image: self.image, group }
    }

    /// A host for a case, in a group of its own.
    pub fn host_subject(&self, case: &str) -> HostSubject {
        let engine = self.engine();
        let dial = Arc::new(engine.clone());
        let group = format!("t-{}", Digest::of(case).short()).parse().unwrap();
        let host = move || -> Arc<dyn Host> { Arc::new(EmbeddedHost::new(engine.clone())) };
        HostSubject { host: Arc::new(host), dial, image: self.image, group }
    }

    pub fn runtime_dir(&self) -> PathBuf {
        Settings::runtime_dir_of(&self.dir)
    }

    pub fn engine(&self) -> Embedded {
        Embedded::open(Settings {
            data_dir: self.dir.clone(),
            runtime_dir: self.runtime_dir(),
            helper: std::env::current_exe().unwrap(),
            layers: self.layers.clone(),
        })
        .unwrap()
    }
}

/// A container that runs a shell script.
pub fn shell(image: Digest, script: &str) -> ContainerSpec {
    let command = ["sh", "-c", script].map(str::to_owned).to_vec();
    ContainerSpec { command: Command::Process(command), ..ContainerSpec::of(image) }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        if self.owned.is_some() {
            // A test may have opened no engine.
            fs::remove_dir_all(self.runtime_dir()).unwrap_or_default();
        }
    }
}

/// An image of one layer: busybox under all its names, and two users.
pub fn busybox(layers: &Layers, change: impl FnOnce(&mut ImageConfig)) -> Digest {
    let draft = layers.draft().unwrap();
    fill(&draft.upper());
    let layer = layers.commit(&draft.upper()).unwrap();
    let mut config = ImageConfig::empty();
    config.config.cmd = Some(vec!["sh".into()]);
    change(&mut config);
    layers.assemble(config, &[layer]).unwrap()
}

fn fill(root: &Path) {
    for dir in ["bin", "etc", "tmp", "root", "home/app", "data"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
    fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
    let list = std::process::Command::new("/bin/busybox").arg("--list").output().unwrap();
    for name in String::from_utf8(list.stdout).unwrap().lines().filter(|name| *name != "busybox") {
        symlink("busybox", root.join("bin").join(name)).unwrap();
    }
    fs::write(
        root.join("etc/passwd"),
        "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n",
    )
    .unwrap();
    fs::write(root.join("etc/group"), "root:x:0:\napp:x:1000:\nstaff:x:50:app\n").unwrap();
    fs::write(root.join("data/seed"), "from the image\n").unwrap();
    std::os::unix::fs::chown(root.join("data"), Some(1000), Some(1000)).unwrap();
}
