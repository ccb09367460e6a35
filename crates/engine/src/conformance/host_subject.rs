//! A host that is put to the test.

use super::subject::{PATIENCE, command};
use crate::{
    Command, ContainerId, ContainerSpec, Dial, GroupId, Host, Observation, ReplicaSet,
    ReplicaState, ServiceAddress, SetId, Share, Stop,
};
use fairway_model::Digest;
use futures_util::{StreamExt, stream::BoxStream};
use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// A host with an image.
#[derive(Clone)]
pub struct HostSubject {
    /// Makes a host as another process would.
    pub host: Arc<dyn Fn() -> Arc<dyn Host> + Send + Sync>,
    /// How groups are reached from outside.
    pub dial: Arc<dyn Dial>,
    /// The image of [`Subject`](super::Subject).
    pub image: Digest,
    /// The group of this case, which is not open yet.
    pub group: GroupId,
}

impl HostSubject {
    /// A new host that has the group open.
    pub(super) async fn opened(&self) -> Arc<dyn Host> {
        let host = (self.host)();
        host.open(&self.group).await.expect("the group opens");
        host
    }

    /// The same with a set `client` of one idle replica that runs.
    pub(super) async fn opened_with_client(&self) -> (Arc<dyn Host>, View) {
        let host = self.opened().await;
        let mut view = View::of(&*host, &self.group).await;
        self.ensure(&*host, "client", 1, &idle(self)).await;
        view.until("the client is ready", |view| view.ready("client").len() == 1).await;
        (host, view)
    }

    pub(super) async fn close(&self, host: &dyn Host) {
        host.close(&self.group).await.expect("the group closes");
    }

    pub(super) fn set(&self, name: &str) -> SetId {
        SetId { group: self.group.clone(), name: name.to_owned() }
    }

    pub(super) fn replicas(&self, name: &str, replicas: u16, spec: &ContainerSpec) -> ReplicaSet {
        ReplicaSet { id: self.set(name), spec: spec.clone(), replicas }
    }

    pub(super) async fn ensure(
        &self,
        host: &dyn Host,
        name: &str,
        replicas: u16,
        spec: &ContainerSpec,
    ) {
        host.ensure(&self.replicas(name, replicas, spec)).await.expect("the set is taken");
    }

    pub(super) async fn route(&self, host: &dyn Host, name: &str, shares: &[(&str, u16)]) {
        let share = |(set, weight): &(&str, u16)| Share { set: self.set(set), weight: *weight };
        let shares: Vec<Share> = shares.iter().map(share).collect();
        let address = ServiceAddress { name: name.to_owned() };
        host.route(&self.group, &address, &shares).await.expect("the name is routed");
    }

    /// A container that runs a shell script and is stopped quickly.
    pub(super) fn shell(&self, script: &str) -> ContainerSpec {
        let command = ["sh", "-c", script].map(str::to_owned).to_vec();
        ContainerSpec {
            command: Command::Process(command),
            stop: Stop { signal: None, grace: Duration::from_millis(500) },
            ..ContainerSpec::of(self.image)
        }
    }

    /// What those behind a name say to connections from a container, and how often.
    pub(super) async fn greetings(
        &self,
        host: &dyn Host,
        from: &ContainerId,
        name: &str,
        times: usize,
    ) -> BTreeMap<String, usize> {
        let script = format!(
            "for i in $(seq {times}); do nc -w 5 {name} 8080 </dev/null || echo failed; done"
        );
        let output = host.exec(from, &command(&script)).await.expect("the command runs");
        let mut seen = BTreeMap::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            *seen.entry(line.to_owned()).or_default() += 1;
        }
        seen
    }
}

/// A container that does nothing, for long.
pub(super) fn idle(subject: &HostSubject) -> ContainerSpec {
    subject.shell("sleep 600")
}

/// A container that answers every connection on port 8080 with a word.
pub(super) fn answering(subject: &HostSubject, word: &str) -> ContainerSpec {
    let spec = subject.shell(&format!("exec nc -ll -p 8080 -e echo {word}"));
    ContainerSpec { port: Some(8080), ..spec }
}

/// What an observer saw so far.
pub(super) struct View {
    stream: BoxStream<'static, Observation>,
    seen: Vec<Observation>,
}

impl View {
    pub(super) async fn of(host: &dyn Host, group: &GroupId) -> Self {
        let stream = host.observe(group).await.expect("the group is observed");
        Self { stream, seen: Vec::new() }
    }

    /// Waits until what was seen is as it should be.
    pub(super) async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            let next = timeout_at(deadline, self.stream.next()).await.unwrap_or_default();
            let Some(observation) = next else {
                panic!("it never came about that {what}: {:?}", self.seen)
            };
            self.seen.push(observation);
        }
    }

    /// The replicas of a set as last seen.
    fn last(&self, set: &str) -> BTreeMap<&ContainerId, &ReplicaState> {
        let of_set = self.seen.iter().filter(|seen| seen.set.name == set);
        of_set.map(|seen| (&seen.replica, &seen.state)).collect()
    }

    /// Where the ready replicas of a set are.
    pub(super) fn ready(&self, set: &str) -> Vec<SocketAddr> {
        let address = |state: &ReplicaState| match state {
            ReplicaState::Ready(address) => Some(*address),
            _ => None,
        };
        let mut ready: Vec<_> = self.last(set).into_values().filter_map(address).collect();
        ready.sort();
        ready
    }

    /// How many replicas of a set are gone.
    pub(super) fn gone(&self, set: &str) -> usize {
        self.last(set).into_values().filter(|state| **state == ReplicaState::Gone).count()
    }

    /// All states that replicas of a set were seen in.
    pub(super) fn states<'a>(&'a self, set: &'a str) -> impl Iterator<Item = &'a ReplicaState> {
        self.seen.iter().filter(move |seen| seen.set.name == set).map(|seen| &seen.state)
    }

    /// The replica of a set that was last heard of.
    pub(super) fn latest(&self, set: &str) -> ContainerId {
        let last = self.seen.iter().rfind(|seen| seen.set.name == set);
        last.expect("the set was heard of").replica.clone()
    }
}
