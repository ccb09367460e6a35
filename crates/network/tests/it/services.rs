//! Services: stable addresses behind which endpoints are balanced.

use crate::container::{Container, Place};
use fairway_network::{Endpoint, Target};
use std::{
    collections::BTreeMap,
    io,
    net::Ipv4Addr,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

fn endpoints(list: &[(&Container, u16)]) -> Target {
    let endpoint = |(container, weight): &(&Container, u16)| Endpoint {
        address: container.address(),
        weight: *weight,
    };
    Target::Endpoints(list.iter().map(endpoint).collect())
}

fn count(from: &Container, to: Ipv4Addr, times: usize) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    for _ in 0..times {
        *seen.entry(from.greeting((to, 80)).unwrap()).or_default() += 1;
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_shared_by_weight() {
    let place = Place::new();
    let network = place.network("weights").await;
    let a = Container::join(&network, "a").await;
    let b = Container::join(&network, "b").await;
    let c = Container::join(&network, "c").await;
    let client = Container::join(&network, "client").await;
    for (container, word) in [(&a, "a"), (&b, "b"), (&c, "c")] {
        container.serve(80, word);
    }
    let target = endpoints(&[(&a, 2), (&b, 1), (&c, 1)]);
    let address = network.set_service("web", target).await.unwrap();
    assert_eq!(client.lookup("web"), [address]);
    let seen = count(&client, address, 40);
    assert_eq!(seen, BTreeMap::from([("a".into(), 20), ("b".into(), 10), ("c".into(), 10)]));

    // One that is among the endpoints itself is served too, and so is the host.
    assert_eq!(count(&a, address, 8).values().sum::<usize>(), 8);
    network.dial((address, 80).into()).await.unwrap();

    let again = network.set_service("web", endpoints(&[(&b, 1), (&a, 0)])).await.unwrap();
    assert_eq!(again, address);
    assert_eq!(count(&client, address, 5), BTreeMap::from([("b".into(), 5)]));
    network.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_endpoints_refuses_at_once() {
    let place = Place::new();
    let network = place.network("empty").await;
    let client = Container::join(&network, "client").await;
    let address = network.set_service("web", endpoints(&[])).await.unwrap();
    let before = Instant::now();
    let error = client.greeting((address, 80)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    let error = network.dial((address, 80).into()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert!(before.elapsed() < Duration::from_secs(1));
    network.remove_service("web").await.unwrap();
    assert!(client.lookup("web").is_empty());
    network.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_to_a_dead_endpoint_fails_at_once() {
    let place = Place::new();
    let network = place.network("dead").await;
    let client = Container::join(&network, "client").await;
    let dead = Container::join(&network, "dead").await;
    let address = network.set_service("web", endpoints(&[(&dead, 1)])).await.unwrap();
    let gone = dead.address();
    drop(dead);
    // Its links go with its namespace, a moment after its process.
    crate::container::until("the route is gone", || {
        client.greeting((gone, 80)).is_err_and(|e| e.kind() != io::ErrorKind::TimedOut)
    });
    let before = Instant::now();
    client.greeting((address, 80)).unwrap_err();
    assert!(before.elapsed() < Duration::from_secs(1));
    network.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn swapping_endpoints_under_load_fails_no_connection() {
    let place = Place::new();
    let network = place.network("swap").await;
    let old = Container::join(&network, "old").await;
    let new = Container::join(&network, "new").await;
    let client = Container::join(&network, "client").await;
    old.serve(80, "old");
    new.serve(80, "new");
    let address = network.set_service("web", endpoints(&[(&old, 1)])).await.unwrap();
    let done = AtomicBool::new(false);
    let made = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut made = 0;
            while !done.load(Ordering::Relaxed) {
                client.greeting((address, 80)).unwrap();
                made += 1;
            }
            made
        });
        for turn in 0..20 {
            let target = endpoints(&[(&old, turn % 2), (&new, (turn + 1) % 2)]);
            let set = network.set_service("web", target);
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(set))
                .unwrap();
        }
        done.store(true, Ordering::Relaxed);
        load.join().unwrap()
    });
    assert!(made > 20, "{made}");
    network.remove().await.unwrap();
}
