//! How containers of a group find each other.

use super::{Subject, cases};
use crate::{ContainerSpec, Names};

cases![
    containers_reach_each_other_by_fleet_wide_names,
    a_private_name_is_known_to_its_consumer_alone,
    two_containers_may_use_one_private_name_for_different_things,
    a_container_reaches_itself,
    groups_do_not_reach_each_other,
];

/// A container that answers every connection on port 8080 with a word.
fn answering(subject: &Subject, word: &str, name: &str) -> ContainerSpec {
    let script = format!("exec nc -ll -p 8080 -e echo {word}");
    let names = Names { own: vec![name.to_owned()], ..Names::default() };
    ContainerSpec { port: Some(8080), names, ..subject.shell(&script) }
}

fn asking(subject: &Subject, script: &str, private: &[(&str, &str)]) -> ContainerSpec {
    let private = private.iter().map(|(name, of)| ((*name).to_owned(), (*of).to_owned())).collect();
    let names = Names { private, ..Names::default() };
    ContainerSpec { names, ..subject.shell(script) }
}

async fn containers_reach_each_other_by_fleet_wide_names(subject: Subject) {
    subject.open().await;
    let id = subject.start("catalog", &answering(&subject, "hello", "catalog")).await;
    subject.ready(&id).await;
    let spec = asking(&subject, "nc -w 3 catalog 8080 </dev/null", &[]);
    assert_eq!(subject.run(&spec).await, "hello");
    subject.close().await;
}

async fn a_private_name_is_known_to_its_consumer_alone(subject: Subject) {
    subject.open().await;
    let id = subject.start("db.orders", &answering(&subject, "mine", "db.orders")).await;
    subject.ready(&id).await;
    let script = "nc -w 3 db 8080 </dev/null || echo unknown";
    let consumer = asking(&subject, script, &[("db", "db.orders")]);
    assert_eq!(subject.run(&consumer).await, "mine");
    let other = asking(&subject, &script.replace("nc", "nc 2>/dev/null"), &[]);
    assert_eq!(subject.run(&other).await, "unknown");
    subject.close().await;
}

async fn two_containers_may_use_one_private_name_for_different_things(subject: Subject) {
    subject.open().await;
    for of in ["db.orders", "db.catalog"] {
        let id = subject.start(of, &answering(&subject, of, of)).await;
        subject.ready(&id).await;
    }
    for of in ["db.orders", "db.catalog"] {
        let spec = asking(&subject, "nc -w 3 db 8080 </dev/null", &[("db", of)]);
        assert_eq!(subject.run(&spec).await, of);
    }
    subject.close().await;
}

async fn a_container_reaches_itself(subject: Subject) {
    subject.open().await;
    let id = subject.start("a", &answering(&subject, "self", "a.b")).await;
    subject.ready(&id).await;
    for host in ["localhost", "a.b", "$(hostname)"] {
        let output = subject.exec(&id, &format!("nc -w 3 {host} 8080 </dev/null")).await;
        assert_eq!(super::subject::said(&output), "self", "{host}");
    }
    subject.close().await;
}

async fn groups_do_not_reach_each_other(subject: Subject) {
    subject.open().await;
    let id = subject.start("a", &answering(&subject, "secret", "catalog")).await;
    let address = subject.ready(&id).await;
    let group = format!("{}-b", subject.group).parse().expect("it is short enough");
    let other = Subject { group, ..subject.clone() };
    other.open().await;
    let script = format!(
        "nc -w 1 catalog 8080 </dev/null 2>/dev/null; nc -w 1 {} 8080 </dev/null 2>/dev/null; exit 0",
        address.ip()
    );
    assert_eq!(other.run(&other.shell(&script)).await, "");
    other.close().await;
    subject.close().await;
}
