//! Creates a container, runs `true` in it and deletes it, once per line of standard input, and
//! prints how many microseconds that took. `cargo xtask bench engine` compares them with peers.
//!
//! A line is `none` (a container without a network, as a build step is) or `network` (one that is
//! connected to its group). The group and the image are made before the first line is read.
//!
//! Usage: `containers DIRECTORY HELPER`, where HELPER is the release binary of Fairway.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for measuring alone")]

use fairway_blobs::Blobs;
use fairway_engine::{
    Command, ContainerEvent, ContainerId, ContainerSpec, ExitStatus, GroupId, Keep, Sandbox,
};
use fairway_engine_embedded::{BuildNetwork, BuildRoot, BuildStep, Embedded, Settings};
use fairway_layers::{ImageConfig, Layers};
use fairway_model::{Digest, config::Resources};
use futures_util::StreamExt;
use std::{
    collections::BTreeMap,
    fs,
    io::BufRead,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Instant,
};

struct Bench {
    engine: Embedded,
    root: BuildRoot,
    group: GroupId,
    image: Digest,
    layer: PathBuf,
    scratch: PathBuf,
}

fn main() {
    fairway_engine_embedded::become_helper_if_asked();
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (directory, helper) = (arguments.next().unwrap(), arguments.next().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(serve(&directory, helper));
}

async fn serve(directory: &Path, helper: PathBuf) {
    let bench = open(directory, helper).await;
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let start = Instant::now();
        let status = match line.as_str() {
            "network" => bench.in_group().await,
            _ => bench.alone().await,
        };
        let elapsed = start.elapsed();
        assert_eq!(status, ExitStatus::Code(0));
        println!("{}", elapsed.as_micros());
    }
    bench.root.close().await.unwrap();
    bench.engine.close(&bench.group).await.unwrap();
}

async fn open(directory: &Path, helper: PathBuf) -> Bench {
    let blobs = Blobs::open(directory.join("blobs")).unwrap();
    let layers = Layers::open(directory.join("layers"), blobs).unwrap();
    let draft = layers.draft().unwrap();
    busybox(&draft.upper());
    let layer = layers.commit(&draft.upper()).unwrap();
    let image = layers.assemble(ImageConfig::empty(), &[layer]).unwrap();
    let layer = layers.image(&image).unwrap().lower_dirs.remove(0);
    let engine = Embedded::open(Settings {
        data_dir: directory.to_owned(),
        runtime_dir: Settings::runtime_dir_of(directory),
        helper,
        layers,
    })
    .unwrap();
    let group: GroupId = "bench".parse().unwrap();
    engine.open(&group, Keep::WhileOwned).await.unwrap();
    let root = BuildRoot::open(&engine, "bench-build".parse().unwrap()).await.unwrap();
    Bench { engine, root, group, image, layer, scratch: directory.join("scratch") }
}

fn busybox(root: &Path) {
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
    symlink("busybox", root.join("bin/true")).unwrap();
}

impl Bench {
    async fn alone(&self) -> ExitStatus {
        let step = BuildStep {
            lower_dirs: vec![self.layer.clone()],
            upper: self.scratch.join("upper"),
            work: self.scratch.join("work"),
            args: vec!["/bin/true".to_owned()],
            env: BTreeMap::from([("PATH".to_owned(), "/bin".to_owned())]),
            user: String::new(),
            working_dir: "/".to_owned(),
            network: BuildNetwork::None,
            limits: Resources::default(),
        };
        let exit = self.root.run(step, &mut |_| (), std::future::pending()).await.unwrap();
        fs::remove_dir_all(&self.scratch).unwrap();
        exit.status
    }

    async fn in_group(&self) -> ExitStatus {
        let id = ContainerId { group: self.group.clone(), name: "true".to_owned() };
        let command = Command::Process(vec!["/bin/true".to_owned()]);
        let spec = ContainerSpec { command, ..ContainerSpec::of(self.image) };
        self.engine.start(&id, &spec).await.unwrap();
        let mut events = self.engine.watch(&id).await.unwrap();
        let status = loop {
            if let ContainerEvent::Exited(exit) = events.next().await.unwrap() {
                break exit.status;
            }
        };
        self.engine.remove(&id).await.unwrap();
        status
    }
}
