//! What goes wrong on a machine.

use crate::{
    cases,
    fixture::{Fixture, shell},
    owner, remains,
};
use fairway_engine::{
    ContainerEvent, ContainerId, EngineError, Exec, ExecStreams, Keep, LogEvent, LogFrom, Sandbox,
};
use fairway_engine_embedded::{Embedded, Settings};
use fairway_layers::ImageConfig;
use futures_util::StreamExt;
use std::{
    fs,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

cases![
    a_container_that_is_kept_outlives_its_starter_and_is_adopted,
    a_fork_bomb_is_contained_and_removed,
    an_image_of_a_hundred_layers_runs,
    a_group_belongs_to_one_process,
    what_is_alive_is_not_swept,
    a_full_disk_is_told_and_harms_nobody_else,
    a_data_directory_on_overlayfs_is_refused,
    whoever_is_not_root_is_told_so,
];

fn id(group: &str, name: &str) -> ContainerId {
    ContainerId { group: group.parse().unwrap(), name: name.into() }
}

async fn a_container_that_is_kept_outlives_its_starter_and_is_adopted(fixture: Arc<Fixture>) {
    let mut child = owner::spawn(&fixture, &["leave", "kept"]);
    assert!(child.wait().unwrap().success());
    let engine = fixture.engine();
    let left = id("kept", "left");
    engine.sweep().await.unwrap();
    engine.open(&left.group, Keep::UntilClosed).await.unwrap();
    assert_eq!(engine.list(&left.group).await.unwrap().len(), 1);
    let lines: Vec<_> = engine.logs(&left, LogFrom::Start).await.unwrap().collect().await;
    assert!(matches!(&lines[..], [Ok(LogEvent::Line(line))] if line.text == b"left behind"));
    let exec = Exec {
        command: vec!["true".into()],
        env: fairway_engine::Env::default(),
        user: None,
        streams: ExecStreams::Collected,
        timeout: None,
    };
    assert!(engine.exec(&left, &exec).await.unwrap().status == fairway_engine::ExitStatus::Code(0));
    engine.close(&left.group).await.unwrap();
    remains::check(&fixture).await;
}

async fn a_fork_bomb_is_contained_and_removed(fixture: Arc<Fixture>) {
    let engine = fixture.engine();
    let bomb = id("bomb", "bomb");
    engine.open(&bomb.group, Keep::WhileOwned).await.unwrap();
    let script = "trap '' TERM; b() { b | b & }; b 2>/dev/null; while :; do sleep 1; done";
    engine.start(&bomb, &shell(fixture.image, script)).await.unwrap();
    let other = id("bomb", "other");
    engine.start(&other, &shell(fixture.image, "sleep 2; exit 0")).await.unwrap();
    let mut events = engine.watch(&other).await.unwrap();
    while let Some(event) = events.next().await {
        if let ContainerEvent::Exited(exit) = event {
            assert!(exit.is_success(), "{exit}");
        }
    }
    let begin = Instant::now();
    engine.close(&bomb.group).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    remains::check(&fixture).await;
}

async fn an_image_of_a_hundred_layers_runs(fixture: Arc<Fixture>) {
    let mut layers = fixture.layers.image(&fixture.image).unwrap().layers;
    for number in 1..100 {
        let draft = fixture.layers.draft().unwrap();
        fs::write(draft.upper().join(format!("layer-{number}")), "").unwrap();
        layers.push(fixture.layers.commit(&draft.upper()).unwrap());
    }
    let image = fixture.layers.assemble(ImageConfig::empty(), &layers).unwrap();
    let engine = fixture.engine();
    let many = id("layers", "many");
    engine.open(&many.group, Keep::WhileOwned).await.unwrap();
    engine.start(&many, &shell(image, "ls -d /layer-* | wc -l")).await.unwrap();
    let lines: Vec<_> = engine.logs(&many, LogFrom::StartAndFollow).await.unwrap().collect().await;
    assert!(matches!(&lines[..], [Ok(LogEvent::Line(line))] if line.text == b"99"), "{lines:?}");
    engine.close(&many.group).await.unwrap();
}

async fn a_group_belongs_to_one_process(fixture: Arc<Fixture>) {
    let mut child = owner::spawn(&fixture, &["busy", "theirs"]);
    assert_eq!(owner::wait_for_word(&mut child), "open");
    let engine = fixture.engine();
    let group = "theirs".parse().unwrap();
    let opened = engine.open(&group, Keep::WhileOwned).await;
    assert!(matches!(opened, Err(EngineError::Broken(why)) if why.contains("another process")));
    child.kill().unwrap();
    child.wait().unwrap();
    remains::check(&fixture).await;
}

async fn what_is_alive_is_not_swept(fixture: Arc<Fixture>) {
    let engine = fixture.engine();
    let alive = id("alive", "a");
    engine.open(&alive.group, Keep::WhileOwned).await.unwrap();
    engine.start(&alive, &shell(fixture.image, "sleep 600")).await.unwrap();
    let other = fixture.engine();
    assert_eq!(other.sweep().await.unwrap(), []);
    assert_eq!(engine.list(&alive.group).await.unwrap()[0].exit, None);
    engine.close(&alive.group).await.unwrap();
    remains::check(&fixture).await;
}

async fn a_full_disk_is_told_and_harms_nobody_else(fixture: Arc<Fixture>) {
    let dir = fixture.dir().join("small");
    fs::create_dir(&dir).unwrap();
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=16m", "none"]).arg(&dir);
    assert!(mount.status().unwrap().success());
    let _mounted = Mounted(dir.clone());
    fill_disk(&Fixture::at(&dir)).await;
}

/// A mount that goes with the test, also when that fails.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()));
    }
}

async fn fill_disk(small: &Fixture) {
    let engine = small.engine();
    let (full, other) = (id("disk", "full"), id("disk", "other"));
    engine.open(&full.group, Keep::WhileOwned).await.unwrap();
    let script = "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done";
    engine.start(&other, &shell(small.image, script)).await.unwrap();
    let script = "yes > /full 2>/dev/null; yes | head -c 3000000; echo said >&2; exit 4";
    engine.start(&full, &shell(small.image, script)).await.unwrap();
    let mut events = engine.watch(&full).await.unwrap();
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event);
    }
    let Some(ContainerEvent::Exited(exit)) = last else { panic!("{last:?}") };
    assert_eq!(exit.status, fairway_engine::ExitStatus::Code(4));
    let lines: Vec<_> = engine.logs(&full, LogFrom::Start).await.unwrap().collect().await;
    assert!(lines.iter().all(Result::is_ok));
    // Directories need no space on every file system.
    if let Err(error) = engine.start(&id("disk", "more"), &shell(small.image, "true")).await {
        let error = format!("{error} {:?}", std::error::Error::source(&error));
        assert!(error.contains("No space left"), "{error}");
    }
    assert!(engine.stop(&other).await.unwrap().is_success());
    engine.close(&full.group).await.unwrap();
    remains::check(small).await;
    fs::remove_dir_all(small.runtime_dir()).unwrap();
}

async fn a_data_directory_on_overlayfs_is_refused(fixture: Arc<Fixture>) {
    let dir = fixture.dir().join("overlaid");
    for name in ["lower", "upper", "work", "at"] {
        fs::create_dir_all(dir.join(name)).unwrap();
    }
    let options = "lowerdir=lower,upperdir=upper,workdir=work";
    let mut mount = Command::new("mount");
    mount.args(["-t", "overlay", "none", "-o", options, "at"]).current_dir(&dir);
    assert!(mount.status().unwrap().success());
    let _mounted = Mounted(dir.join("at"));
    let data_dir = dir.join("at/data");
    let settings = Settings {
        runtime_dir: fixture.runtime_dir(),
        helper: std::env::current_exe().unwrap(),
        layers: fixture.layers.clone(),
        data_dir,
    };
    let error = Embedded::open(settings).unwrap_err().to_string();
    assert!(error.contains("overlayfs") && error.contains("FAIRWAY_HOME"), "{error}");
}

async fn whoever_is_not_root_is_told_so(fixture: Arc<Fixture>) {
    let exe = fixture.dir().join("exe");
    fs::copy(std::env::current_exe().unwrap(), &exe).unwrap();
    fs::set_permissions(fixture.dir(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let output =
        Command::new(&exe).args(["__unprivileged"]).uid(65534).gid(65534).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("needs root") && said.contains("sudo"), "{output:?}");
}
