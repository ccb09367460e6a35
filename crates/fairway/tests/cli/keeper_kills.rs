//! The keeper is killed at random moments; what runs goes on, and so does what was asked for.

use crate::{
    pair,
    remains::{self, helpers},
    world::{World, until},
};
use rustix::process::Signal;
use std::{io::Read, process::Stdio, thread, time::Duration};

const KILLS: u64 = 20;

#[test]
fn a_promotion_survives_the_keeper_that_is_killed_at_a_random_moment() {
    let world = pair::with_two_releases();
    let gateway = pair::gateway(&world);
    let seed = crate::seed::seed();
    for kill in 0..KILLS {
        let version = kill % 2 + 1;
        let pause = Duration::from_millis(crate::seed::random(seed, kill) % 700);
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(pause);
                remains::end(&remains::keepers(world.home()), Signal::KILL);
            });
            world.fairway(&["promote", &format!("catalog@{version}"), "staging"]).passed();
        });
        world.fairway(&["status", "staging"]).passed();
        let answer = get(&world, &format!("{gateway}/catalog/version.txt"));
        assert_eq!(answer, version.to_string(), "seed {seed}, kill {kill} after {pause:?}");
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
    remains::end(&remains::keepers(world.home()), Signal::KILL);
    let output = inner.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1".repeat(299), "{output:?}");
    assert!(remains::keepers(world.home()).is_empty(), "nobody started it meanwhile");
}

#[test]
fn a_container_that_is_killed_comes_back_while_the_others_serve() {
    let world = pair::with_two_releases();
    let gateway = pair::gateway(&world);
    let before = helpers(world.home(), "__container");
    let one = before.iter().find(|process| process.line.contains("/catalog-1-")).unwrap();
    remains::end(std::slice::from_ref(one), Signal::KILL);
    assert_eq!(get(&world, &format!("{gateway}/catalog/version.txt")), "1");
    until("both replicas", || {
        let status = world.fairway(&["status", "staging", "--output", "json"]).passed().json();
        let catalog = status[0]["services"][0].clone();
        let is_new = helpers(world.home(), "__container").iter().all(|now| now.pid != one.pid);
        (is_new && catalog["ready"] == 2).then_some(())
    });
}

fn get(world: &World, url: &str) -> String {
    let mut curl = world.command("curl");
    let output = curl.args(["--silent", "--fail", "--max-time", "10", url]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
