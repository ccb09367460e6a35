//! Hosts while processes of their network are killed.

use crate::{
    cases,
    fixture::{Fixture, shell},
    kills::moment,
    owner, remains,
};
use fairway_engine::{
    ContainerId, ContainerSpec, Env, Exec, ExecStreams, GroupId, Host, ReplicaSet, ReplicaState,
    Sandbox, ServiceAddress, SetId, Share,
};
use fairway_network::{Networks, Process};
use futures_util::StreamExt;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{net::Ipv4Addr, sync::Arc, time::Duration};

cases![
    the_processes_of_a_network_may_be_killed_at_any_moment,
    a_host_may_be_killed_at_any_moment_of_a_replacement,
];

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
    let load = tokio::spawn(load(Arc::clone(&host), client.clone(), address));
    for turn in 0..20_u64 {
        let holder = network.namespace_path().ok().and_then(|path| holder(&path));
        let helper = network.describe().await.unwrap().helper;
        let killed = if turn % 2 == 0 { Some(helper) } else { holder };
        if let Some(process) = killed {
            kill(Pid::from_raw(process.pid.cast_signed()), Signal::SIGKILL).unwrap_or_default();
        }
        tokio::time::sleep(moment(turn, Duration::from_millis(50))).await;
    }
    host.exec(&client, &command("touch /tmp/enough")).await.unwrap();
    check(&load.await.unwrap());
    let named = host.exec(&client, &command("nc -w 5 web 8080 </dev/null")).await.unwrap();
    assert_eq!(named.stdout, b"served\n");
    host.close(&group).await.unwrap();
    assert!(networks.list().unwrap().iter().all(|id| *id != group));
}

async fn a_host_may_be_killed_at_any_moment_of_a_replacement(fixture: Arc<Fixture>) {
    let subject = fixture.host_subject("killed-host");
    let (group, host) = (subject.group.clone(), (subject.host)());
    host.open(&group).await.unwrap();
    ready(&*host, &group, "web-0", serving(&fixture)).await;
    let client = ready(&*host, &group, "client", quick(&fixture, "sleep 600")).await;
    route(&*host, &group, "web-0").await;
    drop(host);

    let networks = Networks::open(&fixture.runtime_dir(), std::env::current_exe().unwrap());
    let address = networks.get(&group).unwrap().describe().await.unwrap().services["web"];
    let host = (subject.host)();
    let load = tokio::spawn(load(Arc::clone(&host), client.clone(), address));
    for round in 0..20 {
        let mut child = owner::spawn(&fixture, &["roll", group.as_str()]);
        assert_eq!(owner::wait_for_word(&mut child), "open");
        tokio::time::sleep(moment(round, Duration::from_millis(900))).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }
    host.exec(&client, &command("touch /tmp/enough")).await.unwrap();
    check(&load.await.unwrap());

    // The next one finds what is wanted, and only that.
    host.open(&group).await.unwrap();
    replace(&*host, &fixture, &group, "web-last").await;
    let engine = fixture.engine();
    let left = Sandbox::list(&engine, &group).await.unwrap();
    let mut sets: Vec<_> = left.iter().filter_map(|left| left.id.name.split('.').next()).collect();
    sets.dedup();
    assert_eq!(sets, ["client", "web-last"], "{left:?}");
    host.close(&group).await.unwrap();
    remains::check(&fixture).await;
}

/// Replaces a set by the next one without end.
pub async fn roll(fixture: &Fixture, group: &GroupId) {
    let host = (fixture.host_subject("roll").host)();
    host.open(group).await.unwrap();
    println!("open");
    let sets = host.sets(group).await.unwrap();
    let numbers = sets.iter().filter_map(|set| set.name.strip_prefix("web-")?.parse().ok());
    let first = numbers.max().unwrap_or(0_u32) + 1;
    for number in first.. {
        replace(&*host, fixture, group, &format!("web-{number}")).await;
    }
}

async fn replace(host: &dyn Host, fixture: &Fixture, group: &GroupId, name: &str) {
    ready(host, group, name, serving(fixture)).await;
    route(host, group, name).await;
    for old in host.sets(group).await.unwrap() {
        if old.name != name && old.name != "client" {
            host.remove(&old).await.unwrap();
        }
    }
}

async fn route(host: &dyn Host, group: &GroupId, to: &str) {
    let shares = [Share { set: set(group, to), weight: 1 }];
    let name = ServiceAddress { name: "web".to_owned() };
    host.route(group, &name, &shares).await.unwrap();
}

/// Connects again and again until it is enough; gives what was said.
async fn load(host: Arc<dyn Host>, client: ContainerId, address: Ipv4Addr) -> String {
    let script = format!(
        "until [ -e /tmp/enough ]; do nc -w 5 {address} 8080 </dev/null || echo failed; done"
    );
    String::from_utf8(host.exec(&client, &command(&script)).await.unwrap().stdout).unwrap()
}

fn check(said: &str) {
    assert!(said.contains("served") && !said.contains("failed"), "{said}");
}

fn holder(namespace: &std::path::Path) -> Option<Process> {
    Process::of(namespace.to_str()?.split('/').nth(2)?.parse().ok()?).ok()
}

/// A container that answers connections.
fn serving(fixture: &Fixture) -> ContainerSpec {
    let spec = quick(fixture, "exec nc -ll -p 8080 -e echo served");
    ContainerSpec { port: Some(8080), ..spec }
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
