//! What every [`Host`](crate::Host) must do.

use super::host_subject::{HostSubject, View, answering, idle};
use super::subject::{command, said};
use crate::{ContainerSpec, Exec, ExitStatus, LogEvent, LogFrom, Mount, ReplicaState, Volume};
use fairway_model::config::{Probe, Readiness};
use futures_util::StreamExt;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// One case for [`Host`](crate::Host): a sentence about behaviour, and how it is shown.
#[derive(Clone, Copy)]
pub struct HostCase {
    /// The sentence, with `_` for spaces.
    pub name: &'static str,
    /// Shows it; panics if it is not so.
    pub run: fn(HostSubject) -> futures_util::future::BoxFuture<'static, ()>,
}

macro_rules! host_cases {
    ($($case:ident),+ $(,)?) => {
        /// The cases for [`Host`](crate::Host).
        pub const HOST: &[HostCase] = &[$(HostCase {
            name: stringify!($case),
            run: |subject| Box::pin($case(subject)),
        }),+];
    };
}

host_cases![
    a_set_has_as_many_replicas_as_are_wanted,
    a_set_does_not_change_but_for_its_size,
    a_replica_that_ends_is_started_again_and_its_log_can_be_read,
    one_that_cannot_be_started_says_why,
    connections_to_a_name_go_to_ready_replicas,
    a_set_gets_its_share,
    a_name_without_ready_replicas_refuses_at_once,
    replacing_a_set_fails_no_connection,
    what_runs_is_adopted_by_whoever_opens_the_group_next,
    removing_a_set_stops_it_with_grace,
    closing_a_group_leaves_nothing_but_volumes,
];

async fn a_set_has_as_many_replicas_as_are_wanted(subject: HostSubject) {
    let host = subject.opened().await;
    let mut view = View::of(&*host, &subject.group).await;
    subject.ensure(&*host, "web-1", 2, &idle(&subject)).await;
    view.until("two are ready", |view| view.ready("web-1").len() == 2).await;
    subject.ensure(&*host, "web-1", 3, &idle(&subject)).await;
    view.until("three are ready", |view| view.ready("web-1").len() == 3).await;
    subject.ensure(&*host, "web-1", 1, &idle(&subject)).await;
    view.until("one is ready", |view| view.ready("web-1").len() == 1).await;
    view.until("two are gone", |view| view.gone("web-1") == 2).await;
    assert_eq!(host.sets(&subject.group).await.expect("sets are listed"), [subject.set("web-1")]);

    // Who comes later hears how it stands.
    let mut later = View::of(&*host, &subject.group).await;
    later.until("one is ready", |view| view.ready("web-1").len() == 1).await;
    subject.close(&*host).await;
}

async fn a_set_does_not_change_but_for_its_size(subject: HostSubject) {
    let host = subject.opened().await;
    subject.ensure(&*host, "web-1", 1, &idle(&subject)).await;
    subject.ensure(&*host, "web-1", 1, &idle(&subject)).await;
    let other = ContainerSpec { user: Some("app".to_owned()), ..idle(&subject) };
    let set = subject.replicas("web-1", 1, &other);
    assert!(host.ensure(&set).await.is_err());
    host.remove(&subject.set("web-1")).await.expect("the set is removed");
    host.remove(&subject.set("web-1")).await.expect("removing may be repeated");
    host.ensure(&set).await.expect("its name is free again");
    subject.close(&*host).await;
}

async fn a_replica_that_ends_is_started_again_and_its_log_can_be_read(subject: HostSubject) {
    let host = subject.opened().await;
    let mut view = View::of(&*host, &subject.group).await;
    let spec = subject.shell("echo here; sleep 0.2; exit 3");
    subject.ensure(&*host, "web-1", 1, &spec).await;
    let is_end = |state: &ReplicaState| matches!(state, ReplicaState::Ended(exit, _) if exit.status == ExitStatus::Code(3));
    view.until("it ended", |view| view.states("web-1").any(is_end)).await;
    let first = view.latest("web-1");
    let log = host.logs(&first, LogFrom::Start).await.expect("its log can be read");
    let lines: Vec<_> = log.collect().await;
    let Some(Ok(LogEvent::Line(line))) = lines.first() else { panic!("no line: {lines:?}") };
    assert_eq!(line.text, b"here");
    view.until("there is another", |view| view.latest("web-1") != first).await;
    view.until("that ended too", |view| view.states("web-1").filter(|s| is_end(s)).count() > 1)
        .await;
    subject.close(&*host).await;
}

async fn one_that_cannot_be_started_says_why(subject: HostSubject) {
    let host = subject.opened().await;
    let mut view = View::of(&*host, &subject.group).await;
    let command = crate::Command::Process(vec!["no-such-program".to_owned()]);
    let spec = ContainerSpec { command, ..idle(&subject) };
    subject.ensure(&*host, "web-1", 1, &spec).await;
    let says = |state: &ReplicaState| matches!(state, ReplicaState::Unready(why) if why.contains("no-such-program"));
    view.until("it says why", |view| view.states("web-1").any(says)).await;
    subject.close(&*host).await;
}

async fn connections_to_a_name_go_to_ready_replicas(subject: HostSubject) {
    let (host, mut view) = subject.opened_with_client().await;
    subject.ensure(&*host, "web-1", 2, &answering(&subject, "one")).await;
    view.until("both are ready", |view| view.ready("web-1").len() == 2).await;
    subject.route(&*host, "web", &[("web-1", 1)]).await;
    let seen = subject.greetings(&*host, &view.latest("client"), "web", 4).await;
    assert_eq!(seen, BTreeMap::from([("one".to_owned(), 4)]));

    // One that never gets ready gets nothing.
    let deaf = ContainerSpec { port: Some(9090), ..answering(&subject, "deaf") };
    subject.ensure(&*host, "web-2", 1, &deaf).await;
    subject.route(&*host, "web", &[("web-1", 1), ("web-2", 9)]).await;
    let seen = subject.greetings(&*host, &view.latest("client"), "web", 4).await;
    assert_eq!(seen, BTreeMap::from([("one".to_owned(), 4)]));
    let address = view.ready("web-1")[0];
    subject.dial.dial(&subject.group, address).await.expect("a replica is reached from outside");
    subject.close(&*host).await;
}

async fn a_set_gets_its_share(subject: HostSubject) {
    let (host, mut view) = subject.opened_with_client().await;
    subject.ensure(&*host, "web-1", 1, &answering(&subject, "one")).await;
    subject.ensure(&*host, "web-2", 1, &answering(&subject, "two")).await;
    view.until("both are ready", |view| {
        view.ready("web-1").len() == 1 && view.ready("web-2").len() == 1
    })
    .await;
    let client = view.latest("client");
    subject.route(&*host, "web", &[("web-1", 3), ("web-2", 1)]).await;
    let seen = subject.greetings(&*host, &client, "web", 40).await;
    let (one, two) = (seen["one"], seen["two"]);
    assert!(one > two && two > 0, "{seen:?}");
    subject.route(&*host, "web", &[("web-1", 0), ("web-2", 1)]).await;
    let seen = subject.greetings(&*host, &client, "web", 4).await;
    assert_eq!(seen, BTreeMap::from([("two".to_owned(), 4)]));
    subject.close(&*host).await;
}

async fn a_name_without_ready_replicas_refuses_at_once(subject: HostSubject) {
    let (host, view) = subject.opened_with_client().await;
    subject.route(&*host, "web", &[("web-1", 1)]).await;
    let begin = Instant::now();
    let exec = command("nc -w 10 web 8080 </dev/null");
    let output = host.exec(&view.latest("client"), &exec).await.expect("the command runs");
    assert_ne!(output.status, ExitStatus::Code(0));
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    subject.close(&*host).await;
}

async fn replacing_a_set_fails_no_connection(subject: HostSubject) {
    let (host, mut view) = subject.opened_with_client().await;
    subject.ensure(&*host, "web-1", 2, &answering(&subject, "one")).await;
    view.until("the old one is ready", |view| view.ready("web-1").len() == 2).await;
    subject.route(&*host, "web", &[("web-1", 1)]).await;
    let load = tokio::spawn({
        let (host, client) = (Arc::clone(&host), view.latest("client"));
        let script =
            "until [ -e /tmp/enough ]; do nc -w 5 web 8080 </dev/null || echo failed; done";
        async move { host.exec(&client, &command(script)).await }
    });
    subject.ensure(&*host, "web-2", 2, &answering(&subject, "two")).await;
    view.until("the new one is ready", |view| view.ready("web-2").len() == 2).await;
    subject.route(&*host, "web", &[("web-1", 1), ("web-2", 1)]).await;
    subject.route(&*host, "web", &[("web-2", 1)]).await;
    host.remove(&subject.set("web-1")).await.expect("the old one is removed");
    let enough = command("touch /tmp/enough");
    host.exec(&view.latest("client"), &enough).await.expect("the command runs");
    let output = load.await.expect("nothing panics").expect("the command runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("failed"), "{text}");
    assert!(text.contains("one"), "{text}");
    subject.close(&*host).await;
}

async fn what_runs_is_adopted_by_whoever_opens_the_group_next(subject: HostSubject) {
    let (host, mut view) = subject.opened_with_client().await;
    let spec = answering(&subject, "one");
    subject.ensure(&*host, "web-1", 2, &spec).await;
    view.until("both are ready", |view| view.ready("web-1").len() == 2).await;
    subject.route(&*host, "web", &[("web-1", 1)]).await;
    let (client, before) = (view.latest("client"), view.ready("web-1"));
    drop((view, host));

    let host = subject.opened().await;
    let mut view = View::of(&*host, &subject.group).await;
    let seen = subject.greetings(&*host, &client, "web", 2).await;
    assert_eq!(seen, BTreeMap::from([("one".to_owned(), 2)]));
    view.until("both are ready", |view| view.ready("web-1").len() == 2).await;
    assert_eq!(view.ready("web-1"), before);
    subject.ensure(&*host, "web-1", 2, &spec).await;
    let killed = view.latest("web-1");
    drop(host.exec(&killed, &Exec { ..command("kill -9 -1; kill -9 1") }).await);
    subject.ensure(&*host, "web-1", 1, &spec).await;
    view.until("one is ready", |view| view.ready("web-1").len() == 1).await;
    subject.close(&*host).await;
}

async fn removing_a_set_stops_it_with_grace(subject: HostSubject) {
    let host = subject.opened().await;
    let mut view = View::of(&*host, &subject.group).await;
    let volume = Volume { scope: subject.group.to_string(), name: "ends".to_owned() };
    let mounts = vec![Mount::Volume { at: "/ends".to_owned(), volume }];
    let script = "trap 'echo stopped > /ends/how; exit 0' TERM; echo trapped; \
                  while :; do sleep 0.1; done";
    let ready = Some(Readiness::of(Probe::Log("trapped".to_owned())));
    let spec = ContainerSpec { ready, mounts: mounts.clone(), ..subject.shell(script) };
    subject.ensure(&*host, "web-1", 1, &spec).await;
    view.until("it is ready", |view| view.ready("web-1").len() == 1).await;
    host.remove(&subject.set("web-1")).await.expect("the set is removed");
    view.until("it is gone", |view| view.gone("web-1") == 1).await;
    assert!(host.sets(&subject.group).await.expect("sets are listed").is_empty());
    let reader = ContainerSpec { mounts, ..idle(&subject) };
    subject.ensure(&*host, "reader", 1, &reader).await;
    view.until("it is ready", |view| view.ready("reader").len() == 1).await;
    let output = host.exec(&view.latest("reader"), &command("cat /ends/how")).await;
    assert_eq!(said(&output.expect("the command runs")), "stopped");
    subject.close(&*host).await;
    host.remove_volumes(subject.group.as_str()).await.expect("volumes are removed");
}

async fn closing_a_group_leaves_nothing_but_volumes(subject: HostSubject) {
    let host = subject.opened().await;
    let volume = Volume { scope: subject.group.to_string(), name: "db.orders".to_owned() };
    let mount = Mount::Volume { at: "/data".to_owned(), volume: volume.clone() };
    let spec = ContainerSpec { mounts: vec![mount], ..idle(&subject) };
    subject.ensure(&*host, "db.orders", 1, &spec).await;
    let mut view = View::of(&*host, &subject.group).await;
    view.until("it is ready", |view| view.ready("db.orders").len() == 1).await;
    subject.close(&*host).await;
    assert!(host.sets(&subject.group).await.is_err());
    subject.close(&*host).await;
    let removed = host.remove_volumes(subject.group.as_str()).await.expect("volumes are removed");
    assert_eq!(removed, [volume]);
    let again = host.remove_volumes(subject.group.as_str()).await.expect("it may be repeated");
    assert!(again.is_empty());
}
