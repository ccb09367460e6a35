//! Names: of members, private ones, and those of the world.

use crate::container::{Container, PATIENCE, Place, addresses, greeting};
use fairway_network::{Endpoint, Target};
use hickory_proto::{op::ResponseCode, rr::RecordType};
use std::net::{Ipv4Addr, SocketAddr};

#[tokio::test(flavor = "multi_thread")]
async fn two_containers_reach_each_other_by_name() {
    let place = Place::new();
    let network = place.network("names").await;
    let catalog = Container::join(&network, "catalog").await;
    let orders = Container::join(&network, "orders").await;
    catalog.serve(8080, "catalog");
    assert_eq!(orders.lookup("Catalog"), [catalog.address()]);
    assert_eq!(orders.greeting((catalog.address(), 8080)).unwrap(), "catalog");
    assert_eq!(catalog.greeting((catalog.address(), 8080)).unwrap(), "catalog");
    assert_eq!(orders.attachment.mtu, catalog.attachment.mtu);
    network.detach("catalog").await.unwrap();
    assert!(orders.lookup("catalog").is_empty());
    network.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_name_depends_on_who_asks() {
    let place = Place::new();
    let network = place.network("private").await;
    let first = Container::join(&network, "db.catalog").await;
    let second = Container::join(&network, "db.orders").await;
    let catalog = Container::join_knowing(&network, "catalog", &[("db", "db.catalog")]).await;
    let orders = Container::join_knowing(&network, "orders", &[("db", "db.orders")]).await;
    assert_eq!(catalog.lookup("db"), [first.address()]);
    assert_eq!(orders.lookup("db"), [second.address()]);
    assert_eq!(catalog.lookup("db.orders"), [second.address()]);
    let six = orders.ask("db", RecordType::AAAA).unwrap();
    assert_eq!((six.answers.len(), six.metadata.response_code), (0, ResponseCode::NoError));
    network.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_the_world_are_looked_up_by_the_hosts_servers() {
    let place = Place::new();
    let network = place.network("world").await;
    let private = [("mirror", "deb.debian.org")];
    let member = Container::join_knowing(&network, "member", &private).await;
    let outside = member.lookup("deb.debian.org");
    assert!(!outside.is_empty());
    let answer = member.ask("mirror", RecordType::A).unwrap();
    assert!(!addresses(&answer).is_empty());
    assert_eq!(answer.answers[0].record_type(), RecordType::CNAME);
    let nobody = member.ask("no-such-name.invalid", RecordType::A).unwrap();
    assert_ne!(nobody.metadata.response_code, ResponseCode::NoError);

    let target = Target::Host("deb.debian.org".to_owned());
    network.set_service("debian", target).await.unwrap();
    assert!(!member.lookup("debian").is_empty());
    network.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_world_is_reached_from_inside() {
    let place = Place::new();
    let network = place.network("outside").await;
    let member = Container::join(&network, "member").await;
    let address = member.lookup("deb.debian.org")[0];
    let direct = member.inside(|| head(address));
    assert!(direct.starts_with("HTTP/1.1"), "{direct}");

    // The same behind a stable address of the network.
    let target = Target::Endpoints(vec![Endpoint { address, weight: 1 }]);
    let stable = network.set_service("mirror", target).await.unwrap();
    assert_eq!(member.lookup("mirror"), [stable]);
    assert!(member.inside(|| head(stable)).starts_with("HTTP/1.1"));
    network.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_dials_in_and_publishes_ports() {
    let place = Place::new();
    let network = place.network("dial").await;
    let catalog = Container::join(&network, "catalog").await;
    catalog.serve(8080, "catalog");
    let to = SocketAddr::from((catalog.address(), 8080));
    let mut stream = tokio::time::timeout(PATIENCE, network.dial(to)).await.unwrap().unwrap();
    let mut word = [0; 7];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut word).await.unwrap();
    assert_eq!(&word, b"catalog");

    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let bound = network.publish(listen, "catalog", 8080).await.unwrap();
    assert_eq!(greeting(bound).unwrap(), "catalog");
    network.unpublish(bound).await.unwrap();
    assert!(greeting(bound).is_err());
    network.remove().await.unwrap();
}

/// The first line a web server answers.
fn head(address: Ipv4Addr) -> String {
    use std::io::{BufRead as _, Write as _};
    let to = SocketAddr::from((address, 80));
    let mut stream = std::net::TcpStream::connect_timeout(&to, PATIENCE).unwrap();
    stream.write_all(b"HEAD / HTTP/1.1\r\nHost: deb.debian.org\r\n\r\n").unwrap();
    let mut line = String::new();
    std::io::BufReader::new(stream).read_line(&mut line).unwrap();
    line
}
