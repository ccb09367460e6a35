//! A host on which Docker is installed: what it does not know is not forwarded.

use crate::container::{Container, Place, inside, process};
use nix::sched::{CloneFlags, unshare};
use std::{io::Write as _, net::TcpListener, process::Command};

fn run(command: &str) -> String {
    let output = Command::new("sh").args(["-ec", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Makes the namespace of this thread a host with Docker's rules and a link to another machine.
fn install_docker(outside: u32) {
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    run(&format!(
        "ip link set lo up
         ip link add out type veth peer name eth0 netns {outside}
         ip address add 198.51.100.1/24 dev out
         ip link set out up
         nsenter -t {outside} -n ip address add 198.51.100.2/24 dev eth0
         nsenter -t {outside} -n ip link set eth0 up
         iptables -N DOCKER-USER
         iptables -A DOCKER-USER -j RETURN
         iptables -A FORWARD -j DOCKER-USER
         iptables -P FORWARD DROP"
    ));
}

#[test]
fn networks_reach_out_where_docker_drops_what_it_does_not_know() {
    let mut outside = process();
    let pid = outside.id();
    let listener = inside(pid, || TcpListener::bind("0.0.0.0:80").unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            writeln!(stream.unwrap(), "outside").unwrap();
        }
    });
    let host = std::thread::spawn(move || {
        install_docker(pid);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let place = Place::new();
            let network = place.network("docker").await;
            let member = Container::join(&network, "member").await;
            let uplink = network.describe().await.unwrap().uplink;
            assert_eq!(run("iptables -S DOCKER-USER").matches(&uplink).count(), 2);
            assert_eq!(member.greeting(([198, 51, 100, 2], 80)).unwrap(), "outside");
            network.remove().await.unwrap();
            assert!(!run("iptables -S").contains(&uplink));

            // A rule that was left is swept.
            run("iptables -I DOCKER-USER -i fairway9999 -m comment --comment 'fairway network' \
                 -j ACCEPT");
            run("nft add table ip fairway9999");
            place.networks.sweep().await.unwrap();
            assert!(!run("iptables -S").contains("fairway9999"));
            assert!(!run("nft list tables").contains("fairway9999"));
        });
    });
    host.join().unwrap();
    outside.kill().unwrap();
    outside.wait().unwrap();
}
