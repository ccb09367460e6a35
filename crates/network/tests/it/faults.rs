//! What happens when processes are killed.

use crate::container::{Container, PATIENCE, Place, is_on_host, until};
use fairway_engine::Keep;
use fairway_network::{Description, Endpoint, Network, NetworkError, Networks, Process, Target};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

fn kill_hard(process: Process) {
    kill(Pid::from_raw(process.pid.cast_signed()), Signal::SIGKILL).unwrap();
    until("the process ended", || !process.is_alive());
}

/// The process that holds the namespace.
fn holder(network: &Network) -> Process {
    let path = network.namespace_path().unwrap();
    let pid = path.to_str().unwrap().split('/').nth(2).unwrap().parse().unwrap();
    Process::of(pid).unwrap()
}

/// Ends both processes of a network before either can start the other again.
fn kill_both(network: &Network, helper: Process) {
    let holder = holder(network);
    for process in [holder, helper] {
        kill(Pid::from_raw(process.pid.cast_signed()), Signal::SIGSTOP).unwrap();
    }
    kill_hard(holder);
    kill_hard(helper);
}

#[tokio::test(flavor = "multi_thread")]
async fn traffic_goes_on_without_the_helper_and_names_come_back_with_it() {
    let place = Place::new();
    let id = "adopt".parse().unwrap();
    let network = place.networks.create(&id, Keep::UntilClosed).await.unwrap();
    let server = Container::join(&network, "server").await;
    let client = Container::join(&network, "client").await;
    server.serve(80, "served");
    let target = Target::Endpoints(vec![Endpoint { address: server.address(), weight: 1 }]);
    let address = network.set_service("web", target).await.unwrap();
    let mut old = client.inside(|| TcpStream::connect((address, 80)).unwrap());
    let mut lines = BufReader::new(old.try_clone().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "served");

    let helper = network.describe().await.unwrap().helper;
    kill_hard(helper);
    writeln!(old, "still").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "still");
    assert_eq!(client.greeting((address, 80)).unwrap(), "served");

    until("names are back", || client.lookup("web") == [address]);
    assert_eq!(client.lookup("server"), [server.address()]);
    let second = network.describe().await.unwrap();
    assert_ne!(second.helper, helper);
    assert_eq!(second.members.len(), 2);
    writeln!(old, "adopted").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "adopted");

    let late = Container::join(&network, "late").await;
    assert_eq!(late.greeting((address, 80)).unwrap(), "served");
    network.remove().await.unwrap();
    until("nothing is left", || !is_on_host(&second.uplink));
    assert!(place.networks.list().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_holder_is_replaced_without_a_break() {
    let place = Place::new();
    let network = place.network("holder").await;
    let server = Container::join(&network, "server").await;
    let client = Container::join(&network, "client").await;
    server.serve(80, "served");
    let first = holder(&network);
    kill_hard(first);
    until("there is a new holder", || network.namespace_path().is_ok());
    assert_ne!(holder(&network), first);
    assert_eq!(client.greeting((server.address(), 80)).unwrap(), "served");
    network.dial((server.address(), 80).into()).await.unwrap();
    network.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_lost_all_its_processes_is_made_anew_for_its_members() {
    let place = Place::new();
    let id = "anew".parse().unwrap();
    let network = place.networks.create(&id, Keep::UntilClosed).await.unwrap();
    let server = Container::join(&network, "server").await;
    let client = Container::join(&network, "client").await;
    server.serve(80, "served");
    network.dial((server.address(), 80).into()).await.unwrap();
    let description = network.describe().await.unwrap();
    kill_both(&network, description.helper);
    until("the uplink is gone", || {
        !std::fs::read_to_string("/proc/net/dev").unwrap().contains(&description.uplink)
    });
    assert_eq!(network.describe().await.unwrap().members, description.members);
    assert_eq!(client.greeting((server.address(), 80)).unwrap(), "served");
    network.dial((server.address(), 80).into()).await.unwrap();
    network.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_whose_directory_is_removed_goes_too() {
    let place = Place::new();
    let network = place.network("gone").await;
    let description = network.describe().await.unwrap();
    std::fs::remove_dir_all(place.directory.path().join("networks/gone")).unwrap();
    until("the helper ended", || !description.helper.is_alive());
    until("nothing is left", || !is_on_host(&description.uplink));
}

#[tokio::test]
#[ignore = "is the process that the tests below kill"]
async fn an_owner() {
    let directory = std::env::current_dir().unwrap();
    let networks = Networks::open(&directory, env!("CARGO_BIN_EXE_fairway-network"));
    networks.create(&"owned".parse().unwrap(), Keep::WhileOwned).await.unwrap();
    std::fs::write("ready", "").unwrap();
    std::future::pending::<()>().await;
}

/// A network of a process of its own.
struct Owned {
    place: Place,
    owner: Child,
    description: Description,
    holder: Process,
    #[expect(dead_code, reason = "lives in the network")]
    member: Container,
}

impl Owned {
    async fn new() -> Self {
        let place = Place::new();
        let owner = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "faults::an_owner"])
            .current_dir(place.directory.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        until("the network is there", || place.directory.path().join("ready").exists());
        let network = place.networks.get(&"owned".parse().unwrap()).unwrap();
        let description = network.describe().await.unwrap();
        let member = Container::join(&network, "member").await;
        Self { place, owner, description, holder: holder(&network), member }
    }

    fn kill_owner(&mut self) {
        self.owner.kill().unwrap();
        self.owner.wait().unwrap();
    }

    fn is_left(&self) -> bool {
        is_on_host(&self.description.uplink) || !self.place.networks.list().unwrap().is_empty()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owned_network_goes_with_its_owner() {
    let mut owned = Owned::new().await;
    assert_eq!(owned.description.owner.unwrap().pid, owned.owner.id());
    let id = "owned".parse().unwrap();
    let busy = owned.place.networks.create(&id, Keep::WhileOwned).await.unwrap_err();
    assert!(matches!(busy, NetworkError::Owned { .. }), "{busy}");
    owned.kill_owner();
    until("nothing is left", || !owned.is_left());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owned_network_goes_when_its_helper_sees_the_end_of_owner_and_holder_at_once() {
    for _ in 0..3 {
        let mut owned = Owned::new().await;
        let helper = Pid::from_raw(owned.description.helper.pid.cast_signed());
        kill(helper, Signal::SIGSTOP).unwrap();
        owned.kill_owner();
        until("the holder ended", || !owned.holder.is_alive());
        kill(helper, Signal::SIGCONT).unwrap();
        until("nothing is left", || !owned.is_left());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owned_network_whose_helper_was_killed_before_its_owner_is_swept() {
    let mut owned = Owned::new().await;
    kill_hard(owned.description.helper);
    owned.kill_owner();
    let deadline = Instant::now() + PATIENCE;
    while owned.is_left() {
        assert!(Instant::now() < deadline, "something is left");
        owned.place.networks.sweep().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_removes_what_nobody_wants_and_nothing_else() {
    let place = Place::new();
    let ids = ["wanted".parse().unwrap(), "unwanted".parse().unwrap()];
    let wanted = place.networks.create(&ids[0], Keep::UntilClosed).await.unwrap();
    let unwanted = place.networks.create(&ids[1], Keep::UntilClosed).await.unwrap();
    let _member = Container::join(&wanted, "member").await;
    let Description { uplink, helper, .. } = unwanted.describe().await.unwrap();
    kill_both(&unwanted, helper);
    kill_hard(wanted.describe().await.unwrap().helper);
    assert_eq!(place.networks.sweep().await.unwrap(), [ids[1].clone()]);
    assert!(!is_on_host(&uplink));
    assert_eq!(wanted.describe().await.unwrap().members.len(), 1);
    wanted.remove().await.unwrap();
}
