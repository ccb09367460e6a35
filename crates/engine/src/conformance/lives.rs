//! How containers start and end.

use super::{Subject, cases, subject::until};
use crate::{Command, ContainerSpec, EngineError, ExitStatus, Stop};
use std::time::{Duration, Instant};

cases![
    a_program_that_returns_is_told_by_its_code,
    a_program_that_a_signal_ended_is_told_by_the_signal,
    stopping_sends_the_signal_of_the_specification,
    a_container_that_ignores_its_signal_is_killed_after_the_grace,
    an_ended_container_can_be_stopped_and_tells_how_it_ended,
    a_name_is_taken_until_it_is_removed,
    removing_kills_what_runs,
    removing_what_is_gone_succeeds,
    a_program_that_is_not_there_is_an_error_that_names_it,
    a_user_that_is_not_there_is_an_error_that_names_it,
    an_image_that_is_not_here_is_an_error,
    daemons_end_with_the_first_process,
    many_containers_start_at_once,
];

async fn a_program_that_returns_is_told_by_its_code(subject: Subject) {
    subject.open().await;
    let id = subject.start("seven", &subject.shell("exit 7")).await;
    assert_eq!(subject.exit(&id).await.status, ExitStatus::Code(7));
    subject.close().await;
}

async fn a_program_that_a_signal_ended_is_told_by_the_signal(subject: Subject) {
    subject.open().await;
    // A first process is not ended by a signal that it does not handle, but by one from outside.
    let stop = Stop { signal: Some("SIGKILL".into()), grace: Duration::from_secs(10) };
    let id = subject.start("killed", &ContainerSpec { stop, ..subject.shell("sleep 600") }).await;
    let exit = subject.sandbox.stop(&id).await.expect("it stops");
    assert_eq!(exit.status, ExitStatus::Signal(9));
    subject.close().await;
}

async fn stopping_sends_the_signal_of_the_specification(subject: Subject) {
    subject.open().await;
    let stop = Stop { signal: Some("SIGUSR1".into()), grace: Duration::from_secs(10) };
    let script = "trap 'exit 5' USR1; echo armed; while :; do sleep 0.05; done";
    let id = subject.start("trap", &ContainerSpec { stop, ..subject.shell(script) }).await;
    armed(&subject, &id).await;
    let exit = subject.sandbox.stop(&id).await.expect("it stops");
    assert_eq!(exit.status, ExitStatus::Code(5));
    subject.close().await;
}

async fn armed(subject: &Subject, id: &crate::ContainerId) {
    let ran = || async { !subject.events(id, crate::LogFrom::Start).await.is_empty() };
    until("the script says that it is armed", ran).await;
}

async fn a_container_that_ignores_its_signal_is_killed_after_the_grace(subject: Subject) {
    subject.open().await;
    let stop = Stop { signal: None, grace: Duration::from_millis(300) };
    let script = "trap '' TERM; echo armed; while :; do sleep 0.05; done";
    let id = subject.start("deaf", &ContainerSpec { stop, ..subject.shell(script) }).await;
    armed(&subject, &id).await;
    let begin = Instant::now();
    let exit = subject.sandbox.stop(&id).await.expect("it stops");
    assert_eq!(exit.status, ExitStatus::Signal(9));
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(5), "{took:?}");
    subject.close().await;
}

async fn an_ended_container_can_be_stopped_and_tells_how_it_ended(subject: Subject) {
    subject.open().await;
    let id = subject.start("done", &subject.shell("exit 4")).await;
    let exit = subject.exit(&id).await;
    assert_eq!(subject.sandbox.stop(&id).await.expect("it has ended"), exit);
    assert_eq!(subject.sandbox.stop(&id).await.expect("it has ended"), exit);
    subject.close().await;
}

async fn a_name_is_taken_until_it_is_removed(subject: Subject) {
    subject.open().await;
    let spec = subject.shell("exit 0");
    let id = subject.start("one", &spec).await;
    let second = subject.sandbox.start(&id, &spec).await;
    assert!(matches!(second, Err(EngineError::Exists(taken)) if taken == id));
    subject.sandbox.remove(&id).await.expect("it is removed");
    subject.start("one", &spec).await;
    subject.close().await;
}

async fn removing_kills_what_runs(subject: Subject) {
    subject.open().await;
    let id = subject.start("running", &subject.shell("sleep 600")).await;
    subject.sandbox.remove(&id).await.expect("it is removed");
    assert!(subject.sandbox.list(&subject.group).await.expect("listed").is_empty());
    assert!(matches!(subject.sandbox.watch(&id).await, Err(EngineError::NoContainer(_))));
    subject.close().await;
}

async fn removing_what_is_gone_succeeds(subject: Subject) {
    subject.open().await;
    let id = subject.start("gone", &subject.shell("exit 0")).await;
    subject.sandbox.remove(&id).await.expect("it is removed");
    subject.sandbox.remove(&id).await.expect("it is gone");
    subject.close().await;
}

async fn a_program_that_is_not_there_is_an_error_that_names_it(subject: Subject) {
    subject.open().await;
    let command = Command::Process(vec!["no-such-program".into()]);
    let spec = ContainerSpec { command, ..ContainerSpec::of(subject.image) };
    refused(&subject, &spec, "no-such-program").await;
    subject.close().await;
}

async fn a_user_that_is_not_there_is_an_error_that_names_it(subject: Subject) {
    subject.open().await;
    let spec = ContainerSpec { user: Some("nobody-here".into()), ..subject.shell("exit 0") };
    refused(&subject, &spec, "nobody-here").await;
    subject.close().await;
}

/// Nothing is left of a container that could not be started.
async fn refused(subject: &Subject, spec: &ContainerSpec, word: &str) {
    let id = subject.id("refused");
    let error = subject.sandbox.start(&id, spec).await.expect_err("it cannot be started");
    assert!(matches!(&error, EngineError::Start { .. }), "{error:?}");
    assert!(error.to_string().contains(word), "{error}");
    assert!(subject.sandbox.list(&subject.group).await.expect("listed").is_empty());
    subject.start("refused", &subject.shell("exit 0")).await;
}

async fn an_image_that_is_not_here_is_an_error(subject: Subject) {
    subject.open().await;
    let absent = fairway_model::Digest::of(b"no image");
    let started = subject.sandbox.start(&subject.id("a"), &ContainerSpec::of(absent)).await;
    assert!(matches!(started, Err(EngineError::NoImage(digest)) if digest == absent));
    subject.close().await;
}

async fn daemons_end_with_the_first_process(subject: Subject) {
    subject.open().await;
    let script = "for i in 1 2 3; do setsid sleep 600 & done; sleep 0.1; exit 0";
    let id = subject.start("daemons", &subject.shell(script)).await;
    assert!(subject.exit(&id).await.is_success());
    subject.sandbox.remove(&id).await.expect("nothing holds it");
    subject.close().await;
}

async fn many_containers_start_at_once(subject: Subject) {
    subject.open().await;
    let ids: Vec<_> = (0..20).map(|number| format!("n{number}")).collect();
    let spec = subject.shell("exit 0");
    futures_util::future::join_all(ids.iter().map(|name| subject.start(name, &spec))).await;
    assert_eq!(subject.sandbox.list(&subject.group).await.expect("listed").len(), 20);
    for name in &ids {
        assert!(subject.exit(&subject.id(name)).await.is_success());
    }
    subject.close().await;
}
