//! What the keeper of one environment does next: pure decisions over all its services.
//!
//! A promotion waits until the neighbours of the service are ready; then its [`Rollout`] runs, fed
//! with what is seen of the candidate's replicas.

use crate::{Action, Input, Placement, Rollout, Verdict};
use fairway_engine::{ContainerId, Observation, ReplicaState};
use fairway_model::ServiceName;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

/// Decides for one environment.
#[derive(Debug, Default)]
pub struct Director {
    courses: BTreeMap<ServiceName, Course>,
    replicas: BTreeMap<String, BTreeMap<ContainerId, ReplicaState>>,
}

/// Where one service stands.
#[derive(Debug)]
struct Course {
    rollout: Rollout,
    /// A promotion whose neighbours are not ready yet, with the sets it waits for.
    waiting: Option<(Placement, BTreeSet<String>)>,
    /// The placements that take traffic.
    shares: Vec<(Placement, u16)>,
}

/// What the director hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// This was live when the keeper last looked.
    Adopted(Placement),
    /// Somebody wants this to run, beside these sets of neighbours.
    Promote(Placement, BTreeSet<String>),
    /// How a replica stands.
    Seen(Observation),
    /// Something asked of the engine for this placement failed.
    Refused(Placement, String),
    /// Somebody wants nothing to run.
    Down,
}

/// Something to be done, with the service it is done for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The service.
    pub service: ServiceName,
    /// What is to be done.
    pub action: Action,
}

impl Director {
    /// Takes in what was heard and decides what is to be done, in this order.
    pub fn step(&mut self, heard: Heard) -> Vec<Task> {
        match heard {
            Heard::Adopted(placement) => self.adopt(placement),
            Heard::Promote(placement, neighbours) => self.promote(placement, neighbours),
            Heard::Seen(observation) => self.see(observation),
            Heard::Refused(placement, because) => self.refuse(&placement, because),
            Heard::Down => self.down(),
        }
    }

    /// Ready replicas per service that takes traffic, for the gateway.
    pub fn backends(&self) -> BTreeMap<ServiceName, Vec<SocketAddr>> {
        let addresses = |course: &Course| {
            let sets = course.shares.iter().map(|(placement, _)| &placement.set);
            sets.flat_map(|set| self.ready(set)).collect()
        };
        self.courses.iter().map(|(name, course)| (name.clone(), addresses(course))).collect()
    }

    /// The placements that take traffic, per service.
    pub fn serving(&self) -> impl Iterator<Item = (&ServiceName, &Placement)> {
        self.courses.iter().filter_map(|(name, course)| Some((name, &course.shares.first()?.0)))
    }

    /// How each replica of a set stands.
    pub fn replicas(&self, set: &str) -> impl Iterator<Item = (&ContainerId, &ReplicaState)> {
        self.replicas.get(set).into_iter().flatten()
    }

    fn ready(&self, set: &str) -> impl Iterator<Item = SocketAddr> {
        self.replicas(set).filter_map(|(_, state)| match state {
            ReplicaState::Ready(address) => Some(*address),
            _ => None,
        })
    }

    fn adopt(&mut self, placement: Placement) -> Vec<Task> {
        let service = placement.release.service.clone();
        let shares = vec![(placement.clone(), placement.replicas)];
        let actions = vec![
            Action::Ensure(placement.clone(), placement.replicas),
            Action::Share(shares.clone()),
        ];
        let course = Course { rollout: Rollout::Live(placement), waiting: None, shares };
        self.courses.insert(service.clone(), course);
        tasks(&service, actions)
    }

    fn promote(&mut self, placement: Placement, neighbours: BTreeSet<String>) -> Vec<Task> {
        let service = placement.release.service.clone();
        let course = self.courses.entry(service.clone()).or_insert_with(Course::absent);
        let set = placement.set.clone();
        let superseded = course.waiting.replace((placement, neighbours));
        let mut tasks = tasks(
            &service,
            superseded
                .filter(|(old, _)| old.set != set)
                .map(|(old, _)| Action::Record(Verdict::Superseded(old)))
                .into_iter()
                .collect(),
        );
        tasks.extend(self.start_if_ready(&service));
        tasks
    }

    /// Starts a waiting promotion once every neighbour has a ready replica.
    fn start_if_ready(&mut self, service: &ServiceName) -> Vec<Task> {
        let Some((_, neighbours)) =
            self.courses.get(service).and_then(|course| course.waiting.as_ref())
        else {
            return Vec::new();
        };
        if !neighbours.iter().all(|set| self.ready(set).next().is_some()) {
            return Vec::new();
        }
        let course = self.courses.get_mut(service).expect("the course was found above");
        let (placement, _) = course.waiting.take().expect("it waited above");
        let mut tasks = self.advance(service, Input::Promote(placement));
        tasks.extend(self.count(service));
        tasks
    }

    fn see(&mut self, observation: Observation) -> Vec<Task> {
        let set = observation.set.name;
        let failure = failure_of(&observation.state);
        let replicas = self.replicas.entry(set.clone()).or_default();
        if observation.state == ReplicaState::Gone {
            replicas.remove(&observation.replica);
        } else {
            replicas.insert(observation.replica, observation.state);
        }
        if self.replicas.get(&set).is_some_and(BTreeMap::is_empty) {
            self.replicas.remove(&set);
        }
        let services: Vec<ServiceName> = self.courses.keys().cloned().collect();
        services.iter().flat_map(|service| self.hear(service, &set, failure.as_deref())).collect()
    }

    fn hear(&mut self, service: &ServiceName, set: &str, failure: Option<&str>) -> Vec<Task> {
        let course = &self.courses[service];
        let awaits = course.waiting.as_ref().is_some_and(|(_, sets)| sets.contains(set));
        let rolls = matches!(&course.rollout,
            Rollout::Rolling { candidate, .. } if candidate.set == set);
        match failure {
            Some(why) if awaits => {
                let (placement, _) = self
                    .courses
                    .get_mut(service)
                    .and_then(|course| course.waiting.take())
                    .expect("it waited above");
                let because = format!("neighbour `{set}` {why}");
                let verdict = Verdict::Failed { candidate: placement, because };
                tasks(service, vec![Action::Record(verdict)])
            }
            Some(why) if rolls => self.advance(service, Input::Failed(why.to_owned())),
            None if awaits => self.start_if_ready(service),
            None if rolls => self.count(service),
            _ => Vec::new(),
        }
    }

    fn refuse(&mut self, placement: &Placement, because: String) -> Vec<Task> {
        let service = &placement.release.service;
        match self.courses.get(service).map(|course| &course.rollout) {
            Some(Rollout::Rolling { candidate, .. }) if candidate.set == placement.set => {
                self.advance(&service.clone(), Input::Failed(because))
            }
            _ => Vec::new(),
        }
    }

    /// Tells the rollout how many replicas of its candidate are ready.
    fn count(&mut self, service: &ServiceName) -> Vec<Task> {
        let Rollout::Rolling { candidate, .. } = &self.courses[service].rollout else {
            return Vec::new();
        };
        let ready = u16::try_from(self.ready(&candidate.set).count()).unwrap_or(u16::MAX);
        self.advance(service, Input::Ready(ready))
    }

    fn advance(&mut self, service: &ServiceName, input: Input) -> Vec<Task> {
        let course = self.courses.get_mut(service).expect("only known services advance");
        let (rollout, actions) =
            std::mem::replace(&mut course.rollout, Rollout::Absent).step(input);
        course.rollout = rollout;
        for action in &actions {
            if let Action::Share(shares) = action {
                course.shares.clone_from(shares);
            }
        }
        tasks(service, actions)
    }

    fn down(&mut self) -> Vec<Task> {
        let services: Vec<ServiceName> = self.courses.keys().cloned().collect();
        services
            .iter()
            .flat_map(|service| {
                if let Some(course) = self.courses.get_mut(service) {
                    course.waiting = None;
                }
                self.advance(service, Input::Down)
            })
            .collect()
    }
}

impl Course {
    fn absent() -> Self {
        Self { rollout: Rollout::Absent, waiting: None, shares: Vec::new() }
    }
}

fn tasks(service: &ServiceName, actions: Vec<Action>) -> Vec<Task> {
    actions.into_iter().map(|action| Task { service: service.clone(), action }).collect()
}

/// What makes a replica a failed one, in words that follow its name.
fn failure_of(state: &ReplicaState) -> Option<String> {
    match state {
        ReplicaState::Unready(why) => Some(format!("did not get ready in time: {why}")),
        ReplicaState::Ended(exit, _) => Some(exit.to_string()),
        ReplicaState::Starting | ReplicaState::Ready(_) | ReplicaState::Gone => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairway_engine::{Exit, ExitStatus, SetId};
    use fairway_model::Timestamp;

    fn placed(number: u64) -> Placement {
        Placement {
            release: format!("orders@{number}").parse().unwrap(),
            set: format!("orders-{number}"),
            replicas: 1,
        }
    }

    fn seen(set: &str, state: ReplicaState) -> Heard {
        let group: fairway_engine::GroupId = "env-staging".parse().unwrap();
        Heard::Seen(Observation {
            set: SetId { group: group.clone(), name: set.to_owned() },
            replica: ContainerId { group, name: format!("{set}-0") },
            state,
        })
    }

    fn ready(set: &str) -> Heard {
        seen(set, ReplicaState::Ready("10.0.0.2:80".parse().unwrap()))
    }

    fn ended(set: &str) -> Heard {
        let exit = Exit {
            status: ExitStatus::Code(1),
            memory_kills: 0,
            process_refusals: 0,
            at: Timestamp(0),
        };
        seen(set, ReplicaState::Ended(exit, Timestamp(1)))
    }

    fn actions(director: &mut Director, heard: Heard) -> Vec<Action> {
        director.step(heard).into_iter().map(|task| task.action).collect()
    }

    #[test]
    fn a_promotion_waits_for_its_neighbours() {
        let mut director = Director::default();
        let neighbours = BTreeSet::from(["db.orders".to_owned()]);
        assert_eq!(actions(&mut director, Heard::Promote(placed(1), neighbours)), []);
        assert_eq!(actions(&mut director, ready("db.orders")), [Action::Ensure(placed(1), 1)]);
        let done = actions(&mut director, ready("orders-1"));
        assert_eq!(done.last(), Some(&Action::Record(Verdict::Live(placed(1)))));
        assert_eq!(director.backends().values().flatten().count(), 1);
    }

    #[test]
    fn a_neighbour_that_fails_fails_the_promotion() {
        let mut director = Director::default();
        director.step(Heard::Promote(placed(1), BTreeSet::from(["db.orders".to_owned()])));
        let failed = Verdict::Failed {
            candidate: placed(1),
            because: "neighbour `db.orders` exited with 1".to_owned(),
        };
        assert_eq!(actions(&mut director, ended("db.orders")), [Action::Record(failed)]);
    }

    #[test]
    fn a_release_that_never_gets_ready_never_takes_traffic() {
        let mut director = Director::default();
        director.step(Heard::Adopted(placed(1)));
        director.step(ready("orders-1"));
        director.step(Heard::Promote(placed(2), BTreeSet::new()));
        let before = director.backends();
        let unready = ReplicaState::Unready("status 500".to_owned());
        let done = actions(&mut director, seen("orders-2", unready));
        assert!(done.contains(&Action::Remove(placed(2))));
        assert_eq!(director.backends(), before);
    }

    #[test]
    fn a_candidate_that_is_ready_already_is_counted_at_once() {
        let mut director = Director::default();
        director.step(ready("orders-1"));
        let done = actions(&mut director, Heard::Promote(placed(1), BTreeSet::new()));
        assert_eq!(done.last(), Some(&Action::Record(Verdict::Live(placed(1)))));
    }
}
