//! Processes are killed at random moments of promotions and runs; what runs goes on, and so does
//! what was asked for.

use crate::{
    outcome::Outcome,
    pair,
    remains::{self, Process, helpers, keepers},
    seed::{random, seed},
    web::get,
    world::{World, until},
};
use rustix::process::Signal;
use std::{io::Read, process::Stdio, thread, time::Duration};

const KILLS: u64 = 20;
/// About as long as a promotion takes on a busy machine.
const PROMOTION_MAX_MILLIS: u64 = 700;
/// About as long as a run takes on a busy machine.
const RUN_MAX_MILLIS: u64 = 900;

#[test]
fn a_promotion_survives_the_keeper() {
    kill_in_promotions(|world, _| keepers(world.home()), |outcome| outcome.code == 0);
}

#[test]
fn a_promotion_survives_the_command_that_asked_for_it() {
    let own = |world: &World, _| remains::commands(world.home(), "promote");
    kill_in_promotions(own, |outcome| outcome.code == 0 || outcome.code == 128 + 9);
}

#[test]
fn an_environment_survives_a_container() {
    kill_in_promotions(
        |world, number| one_of(helpers(world.home(), "__container"), number),
        is_named,
    );
}

#[test]
fn a_promotion_survives_a_process_of_its_network() {
    let one = |world: &World, number| one_of(helpers(world.home(), "__network"), number);
    kill_in_promotions(one, |outcome| outcome.code == 0);
}

#[test]
fn a_run_survives_a_container() {
    let world = World::new();
    let seed = seed();
    for kill in 0..KILLS {
        world.write("services/greeter/version.txt", &format!("{kill}\n"));
        let pause = Duration::from_millis(random(seed, kill) % RUN_MAX_MILLIS);
        let outcome = meanwhile(
            || {
                thread::sleep(pause);
                remains::end(&one_of(helpers(world.home(), "__container"), kill), Signal::KILL);
            },
            || world.fairway(&["run", "greeter"]),
        );
        // A neighbour that is killed fails the stage beside it; the next run goes on.
        assert!(is_named(&outcome), "seed {seed}, kill {kill}: {outcome}");
        world.fairway(&["run", "greeter"]).passed();
        remains::assert_gone(world.home());
    }
}

/// Kills what is chosen while `catalog` is promoted, and looks that the environment serves after the
/// next command and nothing is left over.
fn kill_in_promotions(
    victims: impl Fn(&World, u64) -> Vec<Process> + Sync,
    is_expected: fn(&Outcome) -> bool,
) {
    let world = pair::with_two_releases();
    let gateway = pair::gateway(&world);
    let seed = seed();
    for kill in 0..KILLS {
        let version = kill % 2 + 1;
        let promote = || world.fairway(&["promote", &format!("catalog@{version}"), "staging"]);
        let number = random(seed, kill);
        let outcome = meanwhile(
            || {
                thread::sleep(Duration::from_millis(number % PROMOTION_MAX_MILLIS));
                remains::end(&victims(&world, number), Signal::KILL);
            },
            promote,
        );
        assert!(is_expected(&outcome), "seed {seed}, kill {kill}: {outcome}");
        promote().passed();
        until("all replicas", || {
            let status = world.fairway(&["status", "staging", "--output", "json"]).passed().json();
            let ready = [0, 1].map(|service| status[0]["services"][service]["ready"].as_u64());
            (ready == [Some(2), Some(1)]).then_some(())
        });
        for path in ["catalog", "orders"] {
            let answer = get(&format!("{gateway}/{path}/version.txt"));
            assert_eq!(answer.0, 200, "seed {seed}, kill {kill}: {answer:?}");
        }
        let answer = get(&format!("{gateway}/catalog/version.txt")).1;
        assert_eq!(answer, version.to_string(), "seed {seed}, kill {kill}");
        until("the end of what was before", || {
            (helpers(world.home(), "__container").len() == 3).then_some(())
        });
    }
}

#[test]
fn traffic_between_services_goes_on_while_the_keeper_is_dead() {
    let world = pair::with_two_releases();
    let load = "for i in $(seq 300); do wget -q -O - http://catalog:8080/version.txt; done";
    let mut inner = world.program(&["exec", "staging", "orders", "--", "sh", "-c", load]);
    let mut inner = inner.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0];
    inner.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    remains::end(&keepers(world.home()), Signal::KILL);
    let output = inner.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1".repeat(299), "{output:?}");
    assert!(keepers(world.home()).is_empty(), "nobody started it meanwhile");
}

/// Whether what was killed is named: the helper of a container, or its first process while it was
/// still the helper's.
fn is_named(outcome: &Outcome) -> bool {
    let names = ["lost", "ended by signal 9"];
    outcome.code == 0 || names.iter().any(|name| outcome.stderr.contains(name))
}

fn meanwhile<T: Send>(aside: impl FnOnce() + Send, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        scope.spawn(aside);
        work()
    })
}

fn one_of(mut processes: Vec<Process>, number: u64) -> Vec<Process> {
    if processes.is_empty() {
        return processes;
    }
    let index = usize::try_from(number).unwrap_or_default() % processes.len();
    vec![processes.swap_remove(index)]
}
