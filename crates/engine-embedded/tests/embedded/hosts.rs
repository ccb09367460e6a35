//! Hosts while processes of their network are killed.

use crate::{
    cases,
    fixture::{Fixture, shell},
};
use fairway_engine::{
    ContainerId, ContainerSpec, Env, Exec, ExecStreams, GroupId, Host, ReplicaSet, ReplicaState,
    ServiceAddress, SetId, Share,
};
use fairway_network::{Networks, Process};
use futures_util::StreamExt;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{sync::Arc, time::Duration};

cases![the_processes_of_a_network_may_be_killed_at_any_moment];

async fn the_processes_of_a_network_may_be_killed_at_any_moment(fixture: Arc<Fixture>) {
    let subject = fixture.host_subject("killed-network");
    let (group, host) = (subject.group.clone(), (subject.host)());
    host.open(&group).await.unwrap();
    let serve =
        ContainerSpec { port: Some(8080), ..quick(&fixture, "exec nc -ll -p 8080 -e echo served") };
    ready(&*host, &group, "web-1", serve).await;
    let client = ready(&*host, &group, "client", quick(&fixture, "sleep 600")).await;
    let shares = [Share { set: set(&group, "web-1"), weight: 1 }];
    let name = ServiceAddress { name: "web".to_owned() };
    host.route(&group, &name, &shares).await.unwrap();

    let networks = Networks::open(&fixture.runtime_dir(), std::env::current_exe().unwrap());
    let network = networks.get(&group).unwrap();
    let address = network.describe().await.unwrap().services["web"];
    let load = tokio::spawn({
        let (host, client) = (Arc::clone(&host), client.clone());
        let script = format!(
            "until [ -e /tmp/enough ]; do nc -w 5 {address} 8080 </dev/null || echo failed; done"
        );
        async move { host.exec(&client, &command(&script)).await }
    });
    for turn in 0..20_u64 {
        let holder = network.namespace_path().ok().and_then(|path| holder(&path));
        let helper = network.describe().await.unwrap().helper;
        let killed = if turn % 2 == 0 { Some(helper) } else { holder };
        if let Some(process) = killed {
            kill(Pid::from_raw(process.pid.cast_signed()), Signal::SIGKILL).unwrap_or_default();
        }
        // A random moment, the same each time.
        tokio::time::sleep(Duration::from_millis(turn * 37 % 50)).await;
    }
    host.exec(&client, &command("touch /tmp/enough")).await.unwrap();
    let text = String::from_utf8(load.await.unwrap().unwrap().stdout).unwrap();
    assert!(text.contains("served") && !text.contains("failed"), "{text}");
    let named = host.exec(&client, &command("nc -w 5 web 8080 </dev/null")).await.unwrap();
    assert_eq!(named.stdout, b"served\n");
    host.close(&group).await.unwrap();
    assert!(networks.list().unwrap().iter().all(|id| *id != group));
}

fn holder(namespace: &std::path::Path) -> Option<Process> {
    Process::of(namespace.to_str()?.split('/').nth(2)?.parse().ok()?).ok()
}

/// A container that is stopped quickly.
fn quick(fixture: &Fixture, script: &str) -> ContainerSpec {
    let mut spec = shell(fixture.image, script);
    spec.stop.grace = Duration::from_millis(200);
    spec
}

fn command(script: &str) -> Exec {
    Exec {
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: Env::default(),
        user: None,
        streams: ExecStreams::Collected,
        timeout: None,
    }
}

fn set(group: &GroupId, name: &str) -> SetId {
    SetId { group: group.clone(), name: name.to_owned() }
}

/// Makes a set of one replica, and waits until it is ready.
async fn ready(host: &dyn Host, group: &GroupId, name: &str, spec: ContainerSpec) -> ContainerId {
    let mut seen = host.observe(group).await.unwrap();
    let id = set(group, name);
    host.ensure(&ReplicaSet { id: id.clone(), spec, replicas: 1 }).await.unwrap();
    while let Some(observation) = seen.next().await {
        if observation.set == id && matches!(observation.state, ReplicaState::Ready(_)) {
            return observation.replica;
        }
    }
    panic!("nothing more is told");
}
