//! A data directory of its own with the image `busybox`, and build contexts from texts.

use fairway_blobs::{Blobs, StatCache};
use fairway_engine::LogEvent;
use fairway_engine_embedded::{Embedded, Settings};
use fairway_image::{
    Bases, BuildError, BuildEvent, BuildRequest, Built, Events, Images, capture_context,
};
use fairway_layers::{Content, ImageConfig, Layers, NewFile};
use fairway_model::{Digest, TreeDigest};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use tempfile::TempDir;

pub struct Fixture {
    pub dir: TempDir,
    pub layers: Layers,
    pub images: Images,
    pub bases: Bases,
    printed: Arc<Mutex<String>>,
}

impl Fixture {
    pub fn new() -> Self {
        Self::at(tempfile::tempdir_in("/var/tmp").unwrap())
    }

    pub fn at(dir: TempDir) -> Self {
        let blobs = Blobs::open(dir.path().join("blobs")).unwrap();
        let layers = Layers::open(dir.path().join("layers"), blobs).unwrap();
        let engine = Embedded::open(Settings {
            data_dir: dir.path().to_owned(),
            runtime_dir: Settings::runtime_dir_of(dir.path()),
            helper: std::env::current_exe().unwrap(),
            layers: layers.clone(),
        });
        let cache = dir.path().join("builds");
        let images = Images::open(layers.clone(), &cache, engine.unwrap()).unwrap();
        let printed = Arc::default();
        let fixture = Self { dir, layers, images, bases: Bases::default(), printed };
        fixture.add_busybox();
        fixture
    }

    fn add_busybox(&self) {
        let mut files = vec![
            NewFile::new("bin/busybox", Content::Copy("/bin/busybox".into())),
            NewFile::new("usr/bin", Content::Directory(0o755)),
            NewFile::new("usr/sbin", Content::Link("bin".into())),
            NewFile::new("tmp", Content::Directory(0o1777)),
            NewFile::new("root", Content::Directory(0o700)),
            NewFile::new(
                "etc/passwd",
                Content::Bytes(
                    b"root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/:/bin/sh\n".to_vec(),
                    0o644,
                ),
            ),
            NewFile::new("etc/group", Content::Bytes(b"root:x:0:\nstaff:x:50:\n".to_vec(), 0o644)),
        ];
        for name in [
            "sh", "cat", "echo", "ls", "test", "stat", "mkdir", "rm", "id", "touch", "env", "pwd",
            "true", "false", "sleep", "ln", "chmod", "seq", "dd",
        ] {
            files.push(NewFile::new(format!("bin/{name}"), Content::Link("busybox".into())));
        }
        let mut config = ImageConfig::empty();
        config.config.env = vec!["PATH=/bin".to_owned()];
        config.config.cmd = Some(vec!["sh".to_owned()]);
        let image = self.layers.image_of_files(config, &files).unwrap();
        self.layers.names().set(&"busybox".parse().unwrap(), &image).unwrap();
    }

    /// Captures a context of `path` to text; a text that starts with `->` is a link.
    pub fn context(&self, files: &[(&str, &str)]) -> TreeDigest {
        let folder = self.dir.path().join("context");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        for (path, text) in files {
            let full = folder.join(path);
            fs::create_dir_all(full.parent().unwrap()).unwrap();
            match text.strip_prefix("->") {
                Some(target) => std::os::unix::fs::symlink(target, full).unwrap(),
                None => fs::write(full, text).unwrap(),
            }
        }
        self.capture(&folder)
    }

    pub fn capture(&self, folder: &Path) -> TreeDigest {
        let blobs = self.layers.blobs();
        capture_context(blobs, folder, "Dockerfile", &mut StatCache::default()).unwrap().digest
    }

    pub fn request(&self, files: &[(&str, &str)]) -> BuildRequest {
        BuildRequest {
            tree: self.context(files),
            dockerfile: "Dockerfile".to_owned(),
            shown: "Dockerfile".to_owned(),
            target: None,
            args: BTreeMap::new(),
        }
    }

    pub async fn build(&self, files: &[(&str, &str)]) -> Result<Built, BuildError> {
        self.build_request(&self.request(files)).await
    }

    pub async fn build_request(&self, request: &BuildRequest) -> Result<Built, BuildError> {
        self.images.build(request, &self.bases, &self.events()).await
    }

    /// Keeps what commands print.
    pub fn events(&self) -> Events {
        let printed = self.printed.clone();
        printed.lock().unwrap().clear();
        Events::to(move |event| {
            let line = match event {
                BuildEvent::Output(LogEvent::Line(line)) => String::from_utf8(line.text).unwrap(),
                BuildEvent::Packages(line) => line,
                _ => return,
            };
            let mut printed = printed.lock().unwrap();
            printed.push_str(&line);
            printed.push('\n');
        })
    }

    pub fn printed(&self) -> String {
        self.printed.lock().unwrap().clone()
    }

    /// Where a file of an image is, in the highest layer that has it.
    pub fn find(&self, image: &Digest, path: &str) -> Option<PathBuf> {
        let dirs = self.layers.image(image).unwrap().lower_dirs;
        let mut places = dirs.iter().map(|dir| dir.join(path));
        places.find(|place| fs::symlink_metadata(place).is_ok())
    }

    pub fn read(&self, image: &Digest, path: &str) -> String {
        let place = self.find(image, path).unwrap_or_else(|| panic!("`{path}` is in the image"));
        fs::read_to_string(place).unwrap()
    }

    pub fn config(&self, image: &Digest) -> ImageConfig {
        self.layers.image(image).unwrap().config
    }

    /// Nothing half made is left.
    pub fn assert_clean(&self) {
        let drafts = fs::read_dir(self.layers.dir().join("drafts")).unwrap().count();
        assert_eq!(drafts, 0, "no draft is left");
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let dir = self.dir.path().to_string_lossy().into_owned();
        assert!(!mounts.contains(&dir), "no mount is left");
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(Settings::runtime_dir_of(self.dir.path())));
    }
}
