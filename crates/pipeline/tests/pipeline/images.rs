//! Images made of this machine's busybox, and of the sources of services.

use fairway_blobs::materialize;
use fairway_layers::{ImageConfig, Layers};
use fairway_model::{Digest, Hasher, ImageRef};
use fairway_pipeline::{BuildRequest, ImageSource, SeamError, Talk};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Knows `busybox` and builds images that are busybox with the sources at `/app`, and the text of
/// the Dockerfile as their command.
pub struct BusyboxImages {
    layers: Layers,
    base: Digest,
    pub builds: AtomicUsize,
    /// Names that were resolved.
    pub resolved: Mutex<Vec<String>>,
}

impl BusyboxImages {
    pub fn new(layers: Layers, base: Digest) -> Self {
        Self { layers, base, builds: AtomicUsize::new(0), resolved: Mutex::default() }
    }

    fn image(&self, request: &BuildRequest) -> Digest {
        let draft = self.layers.draft().unwrap();
        let app = draft.upper().join("app");
        fs::create_dir_all(&app).unwrap();
        materialize(self.layers.blobs(), &request.tree, &app).unwrap();
        let command = fs::read_to_string(app.join(&request.dockerfile)).unwrap();
        let layer = self.layers.commit(&draft.upper()).unwrap();
        let (_, mut layers) = self.layers.describe(&self.base).unwrap();
        layers.push(layer);
        let mut config = ImageConfig::empty();
        config.config.cmd = Some(vec!["sh".into(), "-c".into(), command]);
        self.layers.assemble(config, &layers).unwrap()
    }
}

#[async_trait::async_trait]
impl ImageSource for BusyboxImages {
    async fn resolve(&self, image: &ImageRef, talk: &Talk) -> Result<Digest, SeamError> {
        talk.send(format!("looking for {image}")).await.unwrap_or_default();
        self.resolved.lock().unwrap().push(image.to_string());
        match image.name.as_str() {
            "busybox" => Ok(self.base),
            _ => Err(SeamError::plain(format!("there is no image `{image}`"))),
        }
    }

    async fn fingerprint(&self, build: &BuildRequest, _: &Talk) -> Result<Digest, SeamError> {
        let mut hasher = Hasher::new();
        hasher.field(build.tree.0.as_bytes());
        hasher.field(&build.dockerfile);
        Ok(hasher.finish())
    }

    async fn build(&self, build: &BuildRequest, talk: &Talk) -> Result<Digest, SeamError> {
        self.builds.fetch_add(1, Ordering::SeqCst);
        talk.send(format!("building {}", build.service)).await.unwrap_or_default();
        Ok(self.image(build))
    }

    async fn contains(&self, image: &Digest) -> bool {
        self.layers.image(image).is_ok()
    }
}

/// An image of one layer: busybox under all its names.
pub fn busybox(layers: &Layers) -> Digest {
    let draft = layers.draft().unwrap();
    fill(&draft.upper());
    let layer = layers.commit(&draft.upper()).unwrap();
    let mut config = ImageConfig::empty();
    config.config.cmd = Some(vec!["sh".into()]);
    layers.assemble(config, &[layer]).unwrap()
}

fn fill(root: &Path) {
    for dir in ["bin", "etc", "tmp", "root"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
    fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
    let list = std::process::Command::new("/bin/busybox").arg("--list").output().unwrap();
    for name in String::from_utf8(list.stdout).unwrap().lines().filter(|name| *name != "busybox") {
        symlink("busybox", root.join("bin").join(name)).unwrap();
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    fs::write(root.join("etc/group"), "root:x:0:\n").unwrap();
}
