//! Groups as a whole.

use super::{Subject, cases};
use crate::{EngineError, ExitStatus, Keep};

cases![
    opening_and_closing_may_be_repeated,
    nothing_starts_in_a_group_that_is_not_open,
    the_list_has_addresses_and_ends,
    closing_removes_what_runs,
    a_group_that_is_kept_can_be_opened_again,
];

async fn opening_and_closing_may_be_repeated(subject: Subject) {
    subject.open().await;
    subject.open().await;
    let id = subject.start("a", &subject.shell("sleep 600")).await;
    subject.open().await;
    subject.exec(&id, "true").await;
    subject.close().await;
    subject.close().await;
}

async fn nothing_starts_in_a_group_that_is_not_open(subject: Subject) {
    let started = subject.sandbox.start(&subject.id("a"), &subject.shell("true")).await;
    assert!(matches!(started, Err(EngineError::NoGroup(group)) if group == subject.group));
}

async fn the_list_has_addresses_and_ends(subject: Subject) {
    subject.open().await;
    let ended = subject.start("a-ended", &subject.shell("exit 3")).await;
    let exit = subject.exit(&ended).await;
    let runs = subject.start("b-runs", &subject.shell("sleep 600")).await;
    let listed = subject.sandbox.list(&subject.group).await.expect("it is listed");
    let shown: Vec<_> = listed.iter().map(|status| (&status.id, status.exit)).collect();
    assert_eq!(shown, [(&ended, Some(exit)), (&runs, None)]);
    assert_ne!(listed[0].address, listed[1].address);
    subject.close().await;
}

async fn closing_removes_what_runs(subject: Subject) {
    subject.open().await;
    for name in ["a", "b", "c"] {
        subject.start(name, &subject.shell("sleep 600")).await;
    }
    subject.close().await;
    assert!(subject.sandbox.list(&subject.group).await.expect("it is listed").is_empty());
    subject.open().await;
    assert!(subject.sandbox.list(&subject.group).await.expect("it is listed").is_empty());
    subject.close().await;
}

async fn a_group_that_is_kept_can_be_opened_again(subject: Subject) {
    subject.sandbox.open(&subject.group, Keep::UntilClosed).await.expect("it opens");
    let id = subject.start("a", &subject.shell("sleep 600")).await;
    subject.sandbox.open(&subject.group, Keep::UntilClosed).await.expect("it opens again");
    assert_eq!(subject.exec(&id, "exit 8").await.status, ExitStatus::Code(8));
    subject.close().await;
}
