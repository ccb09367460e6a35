//! `kill -9` at any moment.

use crate::{
    cases,
    fixture::{Fixture, shell},
    owner, remains,
};
use fairway_engine::{ContainerEvent, ContainerId, EngineError, ExitStatus, Keep, Sandbox};
use futures_util::StreamExt;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;

cases![
    nothing_is_left_of_a_killed_owner,
    a_container_whose_helper_is_killed_is_lost_and_ends,
    a_helper_killed_while_it_starts_leaves_nothing,
];

/// Different on each call, within bounds; the moments need not be unpredictable.
pub fn moment(round: u64, most: Duration) -> Duration {
    let scattered = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54;
    most * u32::try_from(scattered).unwrap() / (1 << 10)
}

fn kill_now(pid: u32) {
    kill(Pid::from_raw(i32::try_from(pid).unwrap()), Signal::SIGKILL).unwrap_or_default();
}

async fn nothing_is_left_of_a_killed_owner(fixture: Arc<Fixture>) {
    for round in 0..20 {
        let mut child = owner::spawn(&fixture, &["busy", "killed"]);
        assert_eq!(owner::wait_for_word(&mut child), "open");
        sleep(moment(round, Duration::from_millis(400))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        remains::check(&fixture).await;
    }
}

async fn a_container_whose_helper_is_killed_is_lost_and_ends(fixture: Arc<Fixture>) {
    let engine = fixture.engine();
    let group = "lost".parse().unwrap();
    engine.open(&group, Keep::WhileOwned).await.unwrap();
    for round in 0..20 {
        let id = ContainerId { group: group.clone(), name: format!("c{round}") };
        let script = "sleep 600 & setsid sleep 600 & wait";
        engine.start(&id, &shell(fixture.image, script)).await.unwrap();
        let mut events = engine.watch(&id).await.unwrap();
        sleep(moment(round, Duration::from_millis(30))).await;
        let begin = Instant::now();
        for pid in remains::helpers(&fixture, "__container") {
            kill_now(pid);
        }
        let mut last = None;
        while let Some(event) = events.next().await {
            last = Some(event);
        }
        let Some(ContainerEvent::Exited(exit)) = last else { panic!("{last:?}") };
        assert_eq!(exit.status, ExitStatus::Lost);
        assert!(begin.elapsed() < Duration::from_secs(5));
        let listed = engine.list(&group).await.unwrap();
        assert_eq!(listed[0].exit, Some(exit));
        assert_eq!(engine.stop(&id).await.unwrap(), exit);
        engine.remove(&id).await.unwrap();
    }
    engine.close(&group).await.unwrap();
    remains::check(&fixture).await;
}

async fn a_helper_killed_while_it_starts_leaves_nothing(fixture: Arc<Fixture>) {
    let engine = fixture.engine();
    let group = "starting".parse().unwrap();
    engine.open(&group, Keep::UntilClosed).await.unwrap();
    for round in 0..20 {
        let id = ContainerId { group: std::clone::Clone::clone(&group), name: "same".into() };
        let (starter, same) = (engine.clone(), id.clone());
        let spec = shell(fixture.image, "sleep 600 & setsid sleep 600 & wait");
        let start = tokio::spawn(async move { starter.start(&same, &spec).await });
        sleep(moment(round, Duration::from_millis(40))).await;
        for pid in remains::helpers(&fixture, "__container") {
            kill_now(pid);
        }
        match start.await.unwrap() {
            Ok(()) | Err(EngineError::Start { .. } | EngineError::Lost(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
        engine.sweep().await.unwrap();
        engine.remove(&id).await.unwrap();
    }
    engine.close(&group).await.unwrap();
    remains::check(&fixture).await;
}
