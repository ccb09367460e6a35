//! What is decided, as tables.

use super::*;
use expect_test::{Expect, expect};
use fairway_engine::ExitStatus;

/// A group that is asked and told things, and what it decides.
struct Table {
    fleet: Fleet,
    now: u64,
}

impl Table {
    fn new() -> Self {
        Self { fleet: Fleet::default(), now: 0 }
    }

    fn step(&mut self, input: Input) -> Vec<String> {
        let actions = self.fleet.step(Timestamp(self.now), input);
        actions.iter().map(show).collect()
    }

    #[expect(clippy::needless_pass_by_value, reason = "written in place")]
    fn check(&mut self, input: Input, expected: Expect) {
        expected.assert_eq(&self.step(input).join("\n"));
    }

    fn ensure(&mut self, set: &str, replicas: u16) -> Vec<String> {
        self.step(Input::Ensure { set: set.to_owned(), replicas })
    }

    fn ready(&mut self, key: &str, last: u8) -> Vec<String> {
        let address = SocketAddr::from(([10, 211, 0, last], 80));
        self.step(Input::Event(of(key), ContainerEvent::Started(address)));
        self.step(Input::Event(of(key), ContainerEvent::Ready))
    }
}

fn of(key: &str) -> Key {
    Key::parse(key).unwrap()
}

fn route(name: &str, shares: &[(&str, u16)]) -> Input {
    let shares = shares.iter().map(|(set, weight)| ((*set).to_owned(), *weight)).collect();
    Input::Route { name: name.to_owned(), shares }
}

fn exited(key: &str) -> Input {
    let (status, at) = (ExitStatus::Code(3), Timestamp(0));
    let exit = Exit { status, memory_kills: 0, process_refusals: 0, at };
    Input::Event(of(key), ContainerEvent::Exited(exit))
}

fn show(action: &Action) -> String {
    match action {
        Action::Direct { name, endpoints } => {
            let each = |e: &Endpoint| format!(" {}x{}", e.address.octets()[3], e.weight);
            format!("direct {name} to{}", endpoints.iter().map(each).collect::<String>())
        }
        Action::Tell(key, state) => match state {
            ReplicaState::Starting => format!("tell {key} starting"),
            ReplicaState::Ready(_) => format!("tell {key} ready"),
            ReplicaState::Unready(why) => format!("tell {key} unready: {why}"),
            ReplicaState::Ended(_, at) => format!("tell {key} ended, again at {}", at.0),
            ReplicaState::Gone => format!("tell {key} gone"),
        },
        Action::Start(key) => format!("start {key}"),
        Action::Watch(key) => format!("watch {key}"),
        Action::Retire(key) => format!("retire {key}"),
        Action::Discard(key) => format!("discard {key}"),
        Action::Forgotten(set) => format!("forgotten {set}"),
    }
}

#[test]
fn a_set_starts_its_replicas_and_traffic_follows_those_that_are_ready() {
    let mut table = Table::new();
    table.check(route("web", &[("web-1", 1)]), expect!["direct web to"]);
    table.check(
        Input::Ensure { set: "web-1".to_owned(), replicas: 2 },
        expect![[r"
            tell web-1.0-0 starting
            start web-1.0-0
            tell web-1.1-0 starting
            start web-1.1-0"]],
    );
    assert_eq!(table.ready("web-1.1-0", 7), ["tell web-1.1-0 ready", "direct web to 7x1"]);
    assert_eq!(table.ready("web-1.0-0", 6), ["tell web-1.0-0 ready", "direct web to 6x1 7x1"]);
    assert!(table.ensure("web-1", 2).is_empty());
}

#[test]
fn a_replica_that_ended_loses_traffic_at_once_and_is_started_again_after_a_pause() {
    let mut table = Table::new();
    table.ensure("web-1", 1);
    table.step(route("web", &[("web-1", 1)]));
    table.ready("web-1.0-0", 6);
    table.check(
        exited("web-1.0-0"),
        expect![[r"
            tell web-1.0-0 ended, again at 100
            direct web to"]],
    );
    assert_eq!(table.fleet.next_start(), Some(Timestamp(100)));
    table.now = 99;
    assert!(table.step(Input::Tick).is_empty());
    table.now = 100;
    table.check(
        Input::Tick,
        expect![[r"
            tell web-1.0-1 starting
            start web-1.0-1"]],
    );
    table.check(exited("web-1.0-1"), expect!["tell web-1.0-1 ended, again at 300"]);
    table.now = 300;
    table.check(
        Input::Tick,
        expect![[r"
            discard web-1.0-0
            tell web-1.0-2 starting
            start web-1.0-2"]],
    );
    // News of a container before the present one change nothing.
    assert!(table.step(exited("web-1.0-1")).is_empty());
}

#[test]
fn one_that_cannot_be_started_says_why_and_is_tried_again() {
    let mut table = Table::new();
    table.ensure("web-1", 1);
    let refused = Input::Refused(of("web-1.0-0"), "no such command".to_owned());
    assert_eq!(table.step(refused), ["tell web-1.0-0 unready: no such command"]);
    assert_eq!(table.fleet.next_start(), Some(Timestamp(100)));
}

#[test]
fn a_set_loses_traffic_before_it_is_stopped_and_is_forgotten_when_it_is_gone() {
    let mut table = Table::new();
    table.ensure("web-1", 1);
    table.ensure("web-2", 1);
    table.step(route("web", &[("web-1", 1), ("web-2", 1)]));
    table.ready("web-1.0-0", 6);
    table.ready("web-2.0-0", 7);
    table.check(
        Input::Remove { set: "web-1".to_owned() },
        expect![[r"
            direct web to 7x1
            tell web-1.0-0 gone
            retire web-1.0-0"]],
    );
    assert!(!table.fleet.has("web-1") && table.fleet.knows("web-1"));
    assert!(table.step(exited("web-1.0-0")).is_empty());
    table.check(Input::Removed(of("web-1.0-0")), expect!["forgotten web-1"]);
    assert!(!table.fleet.knows("web-1"));
}

#[test]
fn one_that_is_being_started_is_stopped_once_it_runs() {
    let mut table = Table::new();
    table.ensure("web-1", 1);
    assert!(table.step(Input::Remove { set: "web-1".to_owned() }).is_empty());
    let address = SocketAddr::from(([10, 211, 0, 6], 80));
    table.check(
        Input::Event(of("web-1.0-0"), ContainerEvent::Started(address)),
        expect![[r"
            tell web-1.0-0 gone
            retire web-1.0-0"]],
    );
}

#[test]
fn fewer_replicas_are_wanted() {
    let mut table = Table::new();
    table.ensure("web-1", 2);
    table.step(route("web", &[("web-1", 1)]));
    table.ready("web-1.0-0", 6);
    table.ready("web-1.1-0", 7);
    table.check(
        Input::Ensure { set: "web-1".to_owned(), replicas: 1 },
        expect![[r"
            direct web to 6x1
            tell web-1.1-0 gone
            retire web-1.1-0"]],
    );
    assert!(table.step(Input::Removed(of("web-1.1-0"))).is_empty());
}

#[test]
fn more_wanted_again_while_one_is_being_stopped_starts_it_anew_afterwards() {
    let mut table = Table::new();
    table.ensure("web-1", 1);
    table.ready("web-1.0-0", 6);
    table.ensure("web-1", 0);
    assert!(table.ensure("web-1", 1).is_empty());
    assert_eq!(
        table.step(Input::Removed(of("web-1.0-0"))),
        ["tell web-1.0-1 starting", "start web-1.0-1"]
    );
}

#[test]
fn what_was_there_is_adopted_without_a_break_and_what_nobody_wants_goes() {
    let mut table = Table::new();
    let address = |last| SocketAddr::from(([10, 211, 0, last], 80));
    let found = [
        (
            of("web-1.0-3"),
            Found::Ended(Exit {
                status: ExitStatus::Lost,
                memory_kills: 0,
                process_refusals: 0,
                at: Timestamp(0),
            }),
        ),
        (of("web-1.0-4"), Found::Ready(address(6))),
        (of("web-1.1-0"), Found::Running(address(7))),
        (of("old.0-0"), Found::Ready(address(8))),
    ];
    let opened = Input::Opened {
        wanted: BTreeMap::from([("web-1".to_owned(), 2)]),
        routes: BTreeMap::from([("web".to_owned(), vec![("web-1".to_owned(), 1)])]),
        found: BTreeMap::from(found),
    };
    table.check(
        opened,
        expect![[r"
            watch web-1.1-0
            watch web-1.0-4
            discard web-1.0-3
            watch old.0-0
            direct web to 6x1
            tell old.0-0 gone
            retire old.0-0"]],
    );
    assert!(table.ready("web-1.0-4", 6).is_empty());
    assert_eq!(table.ready("web-1.1-0", 7), ["tell web-1.1-0 ready", "direct web to 6x1 7x1"]);
}

#[test]
fn what_the_network_did_not_take_is_directed_again() {
    let mut table = Table::new();
    table.step(route("web", &[("web-1", 1)]));
    table.check(Input::Undirected("web".to_owned()), expect!["direct web to"]);
    assert!(table.step(Input::Tick).is_empty());
}
