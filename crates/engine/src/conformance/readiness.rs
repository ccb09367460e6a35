//! When containers are ready.

use super::{Subject, cases, subject::PATIENCE};
use crate::{ContainerEvent, ContainerId, ContainerSpec, LogFrom};
use fairway_model::config::{Probe, Readiness};
use futures_util::StreamExt;
use std::time::{Duration, Instant};
use tokio::time::timeout;

cases![
    one_without_a_port_is_ready_at_once,
    one_with_a_port_is_ready_when_it_accepts,
    a_page_makes_ready_when_its_status_is_good,
    a_command_makes_ready_when_it_succeeds,
    a_line_of_the_log_makes_ready,
    what_waits_hears_it_within_100_ms,
    a_missed_deadline_is_told_with_the_reason_and_it_runs_on,
    one_that_ends_before_it_is_ready_is_told_at_once,
    whoever_watches_later_hears_how_it_stands,
];

fn probed(subject: &Subject, script: &str, probe: Probe) -> ContainerSpec {
    let ready = Some(Readiness::of(probe));
    ContainerSpec { ready, port: Some(8080), ..subject.shell(script) }
}

async fn one_without_a_port_is_ready_at_once(subject: Subject) {
    subject.open().await;
    let id = subject.start("a", &subject.shell("sleep 600")).await;
    subject.ready(&id).await;
    subject.close().await;
}

async fn one_with_a_port_is_ready_when_it_accepts(subject: Subject) {
    subject.open().await;
    let script = "sleep 0.5; touch /tmp/up; exec nc -ll -p 8080 -e cat";
    let spec = ContainerSpec { port: Some(8080), ..subject.shell(script) };
    let id = subject.start("a", &spec).await;
    let address = subject.ready(&id).await;
    assert_eq!(address.port(), 8080);
    assert_eq!(subject.exec(&id, "test -e /tmp/up").await.status, crate::ExitStatus::Code(0));
    subject.dial.dial(&subject.group, address).await.expect("it accepts");
    subject.close().await;
}

async fn a_page_makes_ready_when_its_status_is_good(subject: Subject) {
    subject.open().await;
    let script = "mkdir /www; httpd -p 8080 -h /www; sleep 0.5; echo ok > /www/healthz; sleep 600";
    let probe = Probe::Http { path: "/healthz".into(), port: None };
    let id = subject.start("a", &probed(&subject, script, probe)).await;
    subject.ready(&id).await;
    assert_eq!(subject.exec(&id, "test -e /www/healthz").await.status, crate::ExitStatus::Code(0));
    subject.close().await;
}

async fn a_command_makes_ready_when_it_succeeds(subject: Subject) {
    subject.open().await;
    let probe = Probe::Exec(["test", "-e", "/tmp/up"].map(str::to_owned).to_vec());
    let script = "sleep 0.3; touch /tmp/up; sleep 600";
    let id = subject.start("a", &probed(&subject, script, probe)).await;
    subject.ready(&id).await;
    subject.close().await;
}

async fn a_line_of_the_log_makes_ready(subject: Subject) {
    subject.open().await;
    let script = "echo starting; sleep 0.3; echo now accepting connections; sleep 600";
    let probe = Probe::Log("accepting".into());
    let id = subject.start("a", &probed(&subject, script, probe)).await;
    subject.ready(&id).await;
    assert_eq!(subject.events(&id, LogFrom::Start).await.len(), 2);
    subject.close().await;
}

async fn what_waits_hears_it_within_100_ms(subject: Subject) {
    subject.open().await;
    let script = "sleep 0.4; echo up; exec nc -ll -p 8080 -e cat";
    let spec = ContainerSpec { port: Some(8080), ..subject.shell(script) };
    let id = subject.start("a", &spec).await;
    subject.ready(&id).await;
    let heard = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("it is after 1970");
    let lines = subject.events(&id, LogFrom::Start).await;
    let crate::LogEvent::Line(up) = &lines[0] else { panic!("no line") };
    let late = heard.saturating_sub(Duration::from_millis(up.at.0));
    assert!(late < Duration::from_millis(150), "{late:?}");
    subject.close().await;
}

/// The first event that is not `Started`.
async fn verdict(subject: &Subject, id: &ContainerId) -> ContainerEvent {
    let mut events = subject.sandbox.watch(id).await.expect("it is watched");
    let first = async {
        loop {
            match events.next().await.expect("there is more to say") {
                ContainerEvent::Started(_) => {}
                other => return other,
            }
        }
    };
    timeout(PATIENCE, first).await.expect("it is told")
}

async fn a_missed_deadline_is_told_with_the_reason_and_it_runs_on(subject: Subject) {
    subject.open().await;
    let mut spec = probed(&subject, "sleep 600", Probe::Http { path: "/x".into(), port: None });
    if let Some(ready) = &mut spec.ready {
        ready.deadline = Duration::from_millis(400);
    }
    let id = subject.start("a", &spec).await;
    match verdict(&subject, &id).await {
        ContainerEvent::Unready(why) => assert!(why.contains("8080"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(subject.exec(&id, "exit 0").await.status, crate::ExitStatus::Code(0));
    subject.close().await;
}

async fn one_that_ends_before_it_is_ready_is_told_at_once(subject: Subject) {
    subject.open().await;
    let spec = probed(&subject, "sleep 0.3; exit 2", Probe::Tcp { port: None });
    let id = subject.start("a", &spec).await;
    let begin = Instant::now();
    match verdict(&subject, &id).await {
        ContainerEvent::Exited(exit) => assert_eq!(exit.status, crate::ExitStatus::Code(2)),
        other => panic!("{other:?}"),
    }
    assert!(begin.elapsed() < Duration::from_secs(2));
    subject.close().await;
}

async fn whoever_watches_later_hears_how_it_stands(subject: Subject) {
    subject.open().await;
    let probe = Probe::Log("up".into());
    let spec = probed(&subject, "trap 'exit 0' TERM; echo up; sleep 600 & wait", probe);
    let id = subject.start("a", &spec).await;
    subject.ready(&id).await;
    assert_eq!(verdict(&subject, &id).await, ContainerEvent::Ready);
    subject.sandbox.stop(&id).await.expect("it stops");
    let events: Vec<_> = subject.sandbox.watch(&id).await.expect("it is watched").collect().await;
    assert!(matches!(events.last(), Some(ContainerEvent::Exited(_))), "{events:?}");
    subject.close().await;
}
