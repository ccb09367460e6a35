//! What is to be done for the sets of a group. Decides only; it does nothing itself.

use super::balance::{Crew, endpoints};
use super::replica::{Because, Key, Phase, Replica};
use fairway_engine::{ContainerEvent, Exit, ReplicaState};
use fairway_model::Timestamp;
use fairway_network::Endpoint;
use std::{
    collections::{BTreeMap, btree_map::Entry},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// The sets of a group, as they are wanted and as they stand.
#[derive(Debug, Clone, Default)]
pub(super) struct Fleet {
    sets: BTreeMap<String, Set>,
    routes: BTreeMap<String, Vec<(String, u16)>>,
    /// What the network was last told.
    directed: BTreeMap<String, Vec<Endpoint>>,
}

#[derive(Debug, Clone, Default)]
struct Set {
    /// How many replicas; none for a set that is being removed.
    wanted: Option<u16>,
    replicas: BTreeMap<u16, Replica>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// A set is to exist with so many replicas.
    Ensure { set: String, replicas: u16 },
    /// A set is to go.
    Remove { set: String },
    /// A name is to lead to sets, by weight.
    Route { name: String, shares: Vec<(String, u16)> },
    /// The group was opened: what is wanted of it, and which containers were there.
    Opened {
        wanted: BTreeMap<String, u16>,
        routes: BTreeMap<String, Vec<(String, u16)>>,
        found: BTreeMap<Key, Found>,
    },
    /// Something became of a container.
    Event(Key, ContainerEvent),
    /// A container could not be started.
    Refused(Key, String),
    /// A container was stopped and removed.
    Removed(Key),
    /// The network could not be told about a name.
    Undirected(String),
    /// Time has passed.
    Tick,
}

/// How a container was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// It runs and is not ready.
    Running(SocketAddr),
    /// It takes traffic.
    Ready(SocketAddr),
    /// It has ended.
    Ended(Exit),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Tell the network where a name leads.
    Direct { name: String, endpoints: Vec<Endpoint> },
    /// Tell observers how a replica stands.
    Tell(Key, ReplicaState),
    /// Start a container and listen to it.
    Start(Key),
    /// Listen to a container that runs.
    Watch(Key),
    /// Stop a container with its grace, then remove it.
    Retire(Key),
    /// Remove a container that has ended.
    Discard(Key),
    /// A set is gone.
    Forgotten(String),
}

impl Fleet {
    /// Takes in what happened and says what is to be done, in order.
    pub(super) fn step(&mut self, now: Timestamp, input: Input) -> Vec<Action> {
        let mut actions = Vec::new();
        match input {
            Input::Ensure { set, replicas } => {
                self.sets.entry(set).or_default().wanted = Some(replicas);
            }
            Input::Remove { set } => {
                if let Some(set) = self.sets.get_mut(&set) {
                    set.wanted = None;
                }
            }
            Input::Route { name, shares } => {
                self.routes.insert(name, shares);
            }
            Input::Opened { wanted, routes, found } => {
                for (set, replicas) in wanted {
                    self.sets.entry(set).or_default().wanted = Some(replicas);
                }
                self.routes = routes;
                self.adopt(now, found, &mut actions);
            }
            Input::Event(key, event) => self.hear(now, &key, event, &mut actions),
            Input::Refused(key, why) => {
                self.change(&key, &mut actions, |replica| {
                    replica.fall(Because::Refused(why), now);
                });
            }
            Input::Removed(key) => self.forget(&key, &mut actions),
            Input::Undirected(name) => {
                self.directed.remove(&name);
            }
            Input::Tick => {}
        }
        let mut doings = self.settle(now);
        actions.append(&mut self.direct());
        actions.append(&mut doings);
        actions
    }

    /// How every replica stands.
    pub(super) fn standings(&self) -> Vec<(Key, ReplicaState)> {
        let of = |(name, set): (&String, &Set)| -> Vec<(Key, ReplicaState)> {
            let each = |(number, replica): (&u16, &Replica)| {
                let key = Key { set: name.clone(), number: *number, attempt: replica.attempt };
                (key, replica.standing())
            };
            set.replicas.iter().map(each).collect()
        };
        self.sets.iter().flat_map(of).collect()
    }

    /// When the next replica is to be started again.
    pub(super) fn next_start(&self) -> Option<Timestamp> {
        let replicas = self.sets.values().flat_map(|set| set.replicas.values());
        let until = |replica: &Replica| match replica.phase {
            Phase::Waiting { until, .. } => Some(until),
            _ => None,
        };
        replicas.filter_map(until).min()
    }

    /// Whether a set is there and not being removed.
    pub(super) fn has(&self, set: &str) -> bool {
        self.sets.get(set).is_some_and(|set| set.wanted.is_some())
    }

    /// Whether anything is left of a set.
    pub(super) fn knows(&self, set: &str) -> bool {
        self.sets.contains_key(set)
    }

    /// Whether there are no sets.
    pub(super) fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// The newest container of each replica is adopted, older ones go.
    fn adopt(&mut self, now: Timestamp, found: BTreeMap<Key, Found>, actions: &mut Vec<Action>) {
        for (key, found) in found.into_iter().rev() {
            let set = self.sets.entry(key.set.clone()).or_default();
            if set.replicas.contains_key(&key.number) {
                actions.push(Action::Discard(key));
                continue;
            }
            let phase = match found {
                Found::Ready(address) => Phase::Ready { address, since: now },
                Found::Running(address) => Phase::Starting { address },
                Found::Ended(exit) => Phase::Waiting { because: Because::Ended(exit), until: now },
            };
            let replica = Replica { attempt: key.attempt, failures: 0, phase };
            let is_alive = replica.has_container();
            set.replicas.insert(key.number, replica);
            if is_alive {
                actions.push(Action::Watch(key));
            }
        }
    }

    fn hear(
        &mut self,
        now: Timestamp,
        key: &Key,
        event: ContainerEvent,
        actions: &mut Vec<Action>,
    ) {
        self.change(key, actions, |replica| match (event, &replica.phase) {
            (ContainerEvent::Started(address), Phase::Launching) => {
                replica.phase = Phase::Starting { address };
            }
            (ContainerEvent::Ready, Phase::Starting { address }) => {
                replica.phase = Phase::Ready { address: *address, since: now };
            }
            (ContainerEvent::Unready(why), Phase::Starting { .. }) => {
                replica.phase = Phase::Unready { why };
            }
            (ContainerEvent::Exited(exit), phase) if *phase != Phase::Retiring => {
                replica.fall(Because::Ended(exit), now);
            }
            _ => {}
        });
    }

    /// Changes a replica whose present container is meant, and tells of it.
    fn change(&mut self, key: &Key, actions: &mut Vec<Action>, change: impl FnOnce(&mut Replica)) {
        let Some(set) = self.sets.get_mut(&key.set) else { return };
        let Some(replica) = set.replicas.get_mut(&key.number) else { return };
        if replica.attempt != key.attempt {
            return;
        }
        let before = replica.standing();
        change(replica);
        let after = replica.standing();
        if after != before {
            actions.push(Action::Tell(key.clone(), after));
        }
    }

    /// A container is gone; if its replica is wanted again by now, the next one is started.
    fn forget(&mut self, key: &Key, actions: &mut Vec<Action>) {
        let Some(set) = self.sets.get_mut(&key.set) else { return };
        let is_wanted = key.number < set.wanted.unwrap_or(0);
        match set.replicas.get_mut(&key.number) {
            Some(replica) if replica.attempt != key.attempt => {}
            Some(replica) if is_wanted => {
                let key = Key { attempt: key.attempt + 1, ..key.clone() };
                *replica = Replica { attempt: key.attempt, ..Replica::new() };
                actions.push(Action::Tell(key.clone(), ReplicaState::Starting));
                actions.push(Action::Start(key));
            }
            Some(_) | None => {
                set.replicas.remove(&key.number);
            }
        }
    }

    /// Brings what is there nearer to what is wanted.
    fn settle(&mut self, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        for (name, set) in &mut self.sets {
            set.settle(name, now, &mut actions);
        }
        let is_gone = |set: &Set| set.wanted.is_none() && set.replicas.is_empty();
        let gone = self.sets.iter().filter(|(_, set)| is_gone(set)).map(|(name, _)| name.clone());
        for name in gone.collect::<Vec<_>>() {
            self.sets.remove(&name);
            actions.push(Action::Forgotten(name));
        }
        actions
    }

    /// What the network does not know yet.
    fn direct(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        for (name, shares) in &self.routes {
            let crew = |(set, weight): &(String, u16)| Crew {
                weight: *weight,
                ready: self.sets.get(set).map(Set::ready).unwrap_or_default(),
            };
            let crews: Vec<Crew> = shares.iter().map(crew).collect();
            let endpoints = endpoints(&crews);
            if self.directed.get(name) != Some(&endpoints) {
                self.directed.insert(name.clone(), endpoints.clone());
                actions.push(Action::Direct { name: name.clone(), endpoints });
            }
        }
        actions
    }
}

impl Set {
    fn settle(&mut self, name: &str, now: Timestamp, actions: &mut Vec<Action>) {
        let wanted = self.wanted.unwrap_or(0);
        let key = |number: u16, attempt: u32| Key { set: name.to_owned(), number, attempt };
        for number in 0..wanted {
            if let Entry::Vacant(place) = self.replicas.entry(number) {
                place.insert(Replica::new());
                actions.push(Action::Tell(key(number, 0), ReplicaState::Starting));
                actions.push(Action::Start(key(number, 0)));
            }
        }
        for (&number, replica) in &mut self.replicas {
            let is_due = matches!(replica.phase, Phase::Waiting { until, .. } if until <= now);
            let is_waiting = matches!(replica.phase, Phase::Waiting { .. });
            if number >= wanted && (replica.has_container() || is_waiting) {
                replica.phase = Phase::Retiring;
                let key = key(number, replica.attempt);
                // The container before it was kept for its log.
                actions.extend(before(&key).map(Action::Discard));
                actions.push(Action::Tell(key.clone(), ReplicaState::Gone));
                actions.push(Action::Retire(key));
            } else if number < wanted && is_due {
                actions.extend(before(&key(number, replica.attempt)).map(Action::Discard));
                replica.attempt += 1;
                replica.phase = Phase::Launching;
                let key = key(number, replica.attempt);
                actions.push(Action::Tell(key.clone(), ReplicaState::Starting));
                actions.push(Action::Start(key));
            }
        }
    }

    fn ready(&self) -> Vec<Ipv4Addr> {
        let address = |replica: &Replica| match replica.phase {
            Phase::Ready { address, .. } => four(address),
            _ => None,
        };
        self.replicas.values().filter_map(address).collect()
    }
}

/// The container of the attempt before.
fn before(key: &Key) -> Option<Key> {
    let attempt = key.attempt.checked_sub(1)?;
    Some(Key { attempt, ..key.clone() })
}

/// Networks have IPv4 only.
fn four(address: SocketAddr) -> Option<Ipv4Addr> {
    match address.ip() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests;
