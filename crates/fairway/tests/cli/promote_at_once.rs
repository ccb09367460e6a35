//! Several things asked of one environment at once, and an environment that cannot have what it asks.

use crate::{
    fleet,
    outcome::Outcome,
    pair,
    world::{World, until},
};
use std::{net::TcpListener, thread};

#[test]
fn of_two_promotions_at_once_one_is_live_and_both_are_told_how_they_ended() {
    let world = pair::with_two_releases();
    let promote = |release: &str| world.fairway(&["promote", release, "staging"]);
    let outcomes: [Outcome; 2] = thread::scope(|scope| {
        let both = ["catalog@1", "catalog@2"].map(|release| scope.spawn(move || promote(release)));
        both.map(|one| one.join().unwrap())
    });
    for outcome in &outcomes {
        let is_told = outcome.code == 0 || outcome.stderr.contains("took its place");
        assert!(is_told, "{outcome}");
    }
    assert!(outcomes.iter().any(|outcome| outcome.code == 0), "one of them is live");
    let status = world.fairway(&["status", "staging", "--output", "json"]).passed().json();
    let catalog = &status[0]["services"][0];
    assert_eq!((&catalog["wanted"], &catalog["failure"]), (&().into(), &().into()), "{catalog}");
    assert_eq!(catalog["ready"], 2, "{catalog}");
}

#[test]
fn a_promotion_that_meets_the_end_of_its_environment_is_told_so() {
    let world = pair::with_two_releases();
    let (promoted, down) = thread::scope(|scope| {
        let promoted = scope.spawn(|| world.fairway(&["promote", "catalog@2", "staging"]));
        let down = scope.spawn(|| world.fairway(&["down", "staging", "--yes"]));
        (promoted.join().unwrap(), down.join().unwrap())
    });
    down.passed();
    let is_told = promoted.code == 0 || promoted.stderr.contains("taken down");
    assert!(is_told, "{promoted}");
    world.fairway(&["down", "staging", "--yes"]).passed();
}

#[test]
fn a_gateway_whose_port_is_taken_opens_on_another_and_says_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let world = World::new();
    world.fairway(&["run", "hello"]).passed();
    let fleet = fleet::FLEET.replace("staging: { ", &format!("staging: {{ port: {port}, "));
    world.write("fleet.yaml", &fleet);
    let promoted = world.fairway(&["promote", "hello", "staging"]).passed();
    let warning = format!("warning: port {port} is taken, so the gateway has another one");
    assert!(promoted.stderr.contains(&warning), "{promoted}");
    drop(taken);
    let promoted = world.fairway(&["promote", "hello", "staging"]).passed();
    assert!(promoted.stderr.contains(&format!("at http://127.0.0.1:{port} ")), "{promoted}");
}

#[test]
fn a_changed_secret_is_given_to_the_same_release_when_it_is_promoted_again() {
    let world = World::new();
    let config =
        "service: hello\nport: 8080\nready: { http: / }\nenv: { TOKEN: '${secret:token}' }\n";
    world.write("services/hello/fairway.yaml", config);
    world.commit();
    world.fairway(&["run", "hello"]).passed();
    let token = || {
        let show = ["exec", "staging", "hello", "--", "sh", "-c", "echo $TOKEN"];
        let shown = world.fairway(&show);
        shown.passed().stdout.trim().to_owned()
    };
    for value in ["first-value", "second-value"] {
        world.fairway_with(&["secret", "set", "staging", "token"], value).passed();
        world.fairway(&["promote", "hello@1", "staging"]).passed();
        until("the value", || (token() == value).then_some(()));
    }
}
