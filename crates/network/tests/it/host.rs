//! Living with others on one host.

use crate::container::{Container, Place, is_on_host};
use fairway_engine::Keep;
use fairway_network::{Member, NetworkError};
use std::collections::BTreeMap;
use std::time::Instant;

#[tokio::test(flavor = "multi_thread")]
async fn two_networks_with_equal_addresses_do_not_meet() {
    let place = Place::new();
    let (first, second) = (place.network("first").await, place.network("second").await);
    let a = Container::join(&first, "same").await;
    let b = Container::join(&second, "same").await;
    assert_eq!(a.address(), b.address());
    a.serve(80, "first");
    b.serve(80, "second");
    let (in_first, in_second) =
        (Container::join(&first, "client").await, Container::join(&second, "client").await);
    assert_eq!(in_first.greeting((a.address(), 80)).unwrap(), "first");
    assert_eq!(in_second.greeting((b.address(), 80)).unwrap(), "second");
    first.remove().await.unwrap();
    assert_eq!(in_second.greeting((b.address(), 80)).unwrap(), "second");
    second.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_53_does_not_matter() {
    let _taken = std::net::UdpSocket::bind("0.0.0.0:53");
    let _taken_too = std::net::TcpListener::bind("0.0.0.0:53");
    let place = Place::new();
    let network = place.network("port53").await;
    let member = Container::join(&network, "member").await;
    assert_eq!(member.lookup("member"), [member.address()]);
    network.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_after_removal() {
    let place = Place::new();
    let network = place.network("removed").await;
    let member = Container::join(&network, "member").await;
    let description = network.describe().await.unwrap();
    assert!(is_on_host(&description.uplink));
    drop(member);
    network.remove().await.unwrap();
    network.remove().await.unwrap();
    crate::container::until("nothing is left", || !is_on_host(&description.uplink));
    crate::container::until("the helper ended", || !description.helper.is_alive());
    assert!(place.networks.list().unwrap().is_empty());
    assert!(place.networks.get(network.id()).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn creating_is_adopting_and_a_process_without_a_namespace_is_refused() {
    let place = Place::new();
    let network = place.network("twice").await;
    let (one, two) = (place.network("twice").await, place.network("twice").await);
    assert_eq!(one.describe().await.unwrap(), two.describe().await.unwrap());
    let member = Member {
        name: "host".to_owned(),
        pid: std::process::id(),
        own: vec![],
        private: BTreeMap::new(),
    };
    let refused = network.attach(&member).await.unwrap_err();
    assert!(matches!(refused, NetworkError::Refused { .. }), "{refused}");
    let unnamed = Member { own: vec!["no name".to_owned()], ..member };
    assert!(network.attach(&unnamed).await.is_err());
    assert!(network.describe().await.unwrap().members.is_empty());
    network.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_and_members_come_quickly() {
    let place = Place::new();
    let before = Instant::now();
    let id = "quick".parse().unwrap();
    let network = place.networks.create(&id, Keep::WhileOwned).await.unwrap();
    let created = before.elapsed();
    let mut attached = Vec::new();
    let mut members = Vec::new();
    for n in 0..20 {
        let child = crate::container::process();
        let member = Member {
            name: format!("member{n}"),
            pid: child.id(),
            own: vec![],
            private: BTreeMap::new(),
        };
        let before = Instant::now();
        network.attach(&member).await.unwrap();
        attached.push(before.elapsed());
        members.push(child);
    }
    attached.sort();
    let before = Instant::now();
    network.remove().await.unwrap();
    println!("created {created:?}, attached {:?}, removed {:?}", attached[10], before.elapsed());
    for mut member in members {
        member.kill().unwrap();
        member.wait().unwrap();
    }
    assert!(attached[10].as_millis() < 50, "{attached:?}");
}
