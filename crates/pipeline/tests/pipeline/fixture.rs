//! A data directory with a fleet, an engine and all that runs need.

use crate::images::{BusyboxImages, busybox};
use fairway_blobs::{Blobs, CaptureRules, Modes, Selection as Taken, StatCache, capture};
use fairway_engine::{EngineError, GroupId, Sandbox};
use fairway_engine_embedded::{Embedded, Settings};
use fairway_layers::Layers;
use fairway_ledger::Ledger;
use fairway_model::{
    Digest, EnvironmentName, Revision, RevisionState, RunId, ServiceName, StageName,
    config::Service,
};
use fairway_pipeline::{
    Cancel, Canceller, Checkout, OnFailure, Progress, ProgressEvent, RunLogs, RunReport,
    RunRequest, Runner, RunnerParts, Runs, SeamError, Selection, ServiceImage, ServiceSource,
    StageResult,
};
use fairway_secrets::Secrets;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::mpsc;

/// A data directory and what works on it. The directory goes with the value, unless it was opened by
/// its path.
pub struct World {
    pub dir: PathBuf,
    pub ledger: Ledger,
    pub blobs: Blobs,
    pub logs: RunLogs,
    pub secrets: Secrets,
    pub engine: Embedded,
    pub images: Arc<BusyboxImages>,
    pub runner: Arc<Runner>,
    owned: Option<tempfile::TempDir>,
}

impl World {
    /// A new one.
    pub fn new() -> Self {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let mut world = Self::open(dir.path());
        world.owned = Some(dir);
        world
    }

    /// One that may exist already.
    pub fn open(dir: &Path) -> Self {
        let blobs = Blobs::open(dir.join("blobs")).unwrap();
        let layers = Layers::open(dir.join("layers"), blobs.clone()).unwrap();
        let base = base(dir, &layers);
        let images = Arc::new(BusyboxImages::new(layers.clone(), base));
        let engine = Embedded::open(Settings {
            data_dir: dir.to_owned(),
            runtime_dir: Settings::runtime_dir_of(dir),
            helper: std::env::current_exe().unwrap(),
            layers,
        })
        .unwrap();
        let ledger = Ledger::open(&dir.join("ledger")).unwrap();
        let logs = RunLogs::new(dir.join("runs"));
        let secrets = Secrets::open(dir.join("secrets")).unwrap();
        let runner = Runner::new(RunnerParts {
            ledger: ledger.clone(),
            blobs: blobs.clone(),
            secrets: secrets.clone(),
            sandbox: Arc::new(engine.clone()),
            images: images.clone(),
            services: Arc::new(Fleet { dir: dir.join("fleet"), blobs: blobs.clone() }),
            logs: logs.clone(),
            side_by_side: 4,
        });
        let (dir, runner) = (dir.to_owned(), Arc::new(runner));
        Self { dir, ledger, blobs, logs, secrets, engine, images, runner, owned: None }
    }

    /// Writes a file of a service.
    pub fn write(&self, service: &str, file: &str, text: &str) {
        let path = self.dir.join("fleet").join(service).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Adds a service by the text of its `fairway.yaml`.
    pub fn service(&self, name: &str, text: &str) {
        self.write(name, "fairway.yaml", text);
        self.write(name, "Dockerfile", "sleep 1000");
    }

    /// Adds a service `app` with these stages, in busybox.
    pub fn app(&self, stages: &str) {
        let text = format!("service: app\npipeline:\n  image: busybox\n  stages:\n{stages}");
        self.service("app", &text);
    }

    fn fleet(&self) -> Fleet {
        Fleet { dir: self.dir.join("fleet"), blobs: self.blobs.clone() }
    }

    /// What is asked of a run.
    pub fn request(&self, service: &str, selection: Selection) -> RunRequest {
        RunRequest {
            checkout: self.fleet().checkout_of(service),
            fleet: Arc::new(self.fleet().services()),
            selection,
            target: Some(environment()),
            on_failure: OnFailure::default(),
            waiting: Vec::new(),
        }
    }

    /// Runs the whole pipeline of a service.
    pub async fn run(&self, service: &str) -> RunReport {
        self.run_with(self.request(service, Selection::All)).await.0
    }

    /// Runs what is asked for, and keeps what was told.
    pub async fn run_with(&self, request: RunRequest) -> (RunReport, Vec<Progress>) {
        let (_canceller, cancel) = Canceller::new();
        self.run_until(request, cancel, |_| ()).await
    }

    /// Runs what is asked for, and shows what is told as it comes.
    pub async fn run_until(
        &self,
        request: RunRequest,
        cancel: Cancel,
        mut see: impl FnMut(&ProgressEvent),
    ) -> (RunReport, Vec<Progress>) {
        let (sender, mut receiver) = mpsc::channel(16);
        let run = self.runner.run(request, sender, cancel);
        let listen = async {
            let mut told = Vec::new();
            while let Some(progress) = receiver.recv().await {
                see(&progress.event);
                told.push(progress);
            }
            told
        };
        let (report, told) = tokio::join!(run, listen);
        (report.unwrap(), told)
    }

    pub fn runs(&self) -> Runs {
        Runs::new(self.ledger.clone(), self.logs.clone())
    }

    /// The log of a stage as text.
    pub fn log(&self, run: RunId, stage: &str) -> String {
        let lines = self.logs.read(run, &stage_name(stage)).unwrap().into_iter().flatten();
        let lines = lines.map(|line| String::from_utf8_lossy(&line.unwrap().text).into_owned());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Asserts that nothing of a group is left.
    pub async fn assert_gone(&self, group: &str) {
        let group: GroupId = group.parse().unwrap();
        let found = self.engine.list(&group).await;
        assert!(matches!(found, Err(EngineError::NoGroup(_))) || found.is_ok_and(|l| l.is_empty()));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if self.owned.is_some() {
            fs::remove_dir_all(Settings::runtime_dir_of(&self.dir)).unwrap();
        }
    }
}

/// The image that all images are made of, made once per data directory.
fn base(dir: &Path, layers: &Layers) -> Digest {
    let known = dir.join("base");
    if let Ok(text) = fs::read_to_string(&known) {
        return text.parse().unwrap();
    }
    let base = busybox(layers);
    fs::write(known, base.to_string()).unwrap();
    base
}

pub fn environment() -> EnvironmentName {
    "staging".parse().unwrap()
}

pub fn stage_name(text: &str) -> StageName {
    text.parse().unwrap()
}

/// How a stage of a run ended.
pub fn stage<'a>(report: &'a RunReport, name: &str) -> &'a StageResult {
    let found = report.stages.iter().find(|(stage, _)| stage.as_str() == name);
    &found.unwrap_or_else(|| panic!("no stage `{name}` in {report:?}")).1
}

/// Services in a folder, without releases.
struct Fleet {
    dir: PathBuf,
    blobs: Blobs,
}

impl Fleet {
    fn decode(&self, name: &str) -> (Arc<Service>, String) {
        let text = fs::read_to_string(self.dir.join(name).join("fairway.yaml")).unwrap();
        (Arc::new(Service::decode("fairway.yaml", &text).unwrap()), text)
    }

    fn services(&self) -> BTreeMap<ServiceName, Arc<Service>> {
        let entries = fs::read_dir(&self.dir).unwrap();
        let services =
            entries.map(|entry| self.decode(entry.unwrap().file_name().to_str().unwrap()).0);
        services.map(|service| (service.name.clone(), service)).collect()
    }

    fn checkout_of(&self, name: &str) -> Checkout {
        let (service, text) = self.decode(name);
        let rules = CaptureRules { modes: Modes::Source, select: &|_, _| Taken::Take };
        let root = self.dir.join(name);
        let tree = capture(&self.blobs, &root, &rules, &mut StatCache::forgetful()).unwrap();
        let state = RevisionState::Dirty;
        let revision = Revision { commit: None, tree: tree.digest, state };
        Checkout { service, config: self.blobs.put(text).unwrap(), revision }
    }
}

#[async_trait::async_trait]
impl ServiceSource for Fleet {
    async fn release(
        &self,
        _: &ServiceName,
        _: Option<&EnvironmentName>,
    ) -> Result<Option<ServiceImage>, SeamError> {
        Ok(None)
    }

    async fn checkout(&self, service: &ServiceName) -> Result<Checkout, SeamError> {
        Ok(self.checkout_of(service.as_str()))
    }
}
