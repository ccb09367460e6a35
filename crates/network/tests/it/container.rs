//! What stands for containers here: processes in namespaces of their own.

use fairway_engine::Keep;
use fairway_network::{Attachment, Member, Network, Networks};
use hickory_proto::{
    op::{Message, Query},
    rr::{Name, RData, RecordType},
};
use nix::sched::{CloneFlags, setns};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long anything here may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Networks in a directory of their own.
pub(crate) struct Place {
    pub(crate) networks: Networks,
    pub(crate) directory: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir_in("/var/tmp").unwrap();
        let program = env!("CARGO_BIN_EXE_fairway-network");
        Self { networks: Networks::open(directory.path(), program), directory }
    }

    pub(crate) async fn network(&self, id: &str) -> Network {
        self.networks.create(&id.parse().unwrap(), Keep::WhileOwned).await.unwrap()
    }
}

/// A process in a namespace of its own, and what it was given.
pub(crate) struct Container {
    child: Child,
    pub(crate) attachment: Attachment,
}

impl Container {
    pub(crate) async fn join(network: &Network, name: &str) -> Self {
        Self::join_knowing(network, name, &[]).await
    }

    pub(crate) async fn join_knowing(
        network: &Network,
        name: &str,
        private: &[(&str, &str)],
    ) -> Self {
        let child = process();
        let private: BTreeMap<_, _> =
            private.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let own = vec![name.to_owned()];
        let member = Member { name: name.to_owned(), pid: child.id(), own, private };
        let attachment = network.attach(&member).await.unwrap();
        Self { child, attachment }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn address(&self) -> Ipv4Addr {
        self.attachment.address
    }

    /// Runs something on a thread inside.
    pub(crate) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(self.pid(), work)
    }

    /// Answers connections with a word, for as long as the test runs.
    pub(crate) fn serve(&self, port: u16, word: &str) {
        let listener = self.inside(|| TcpListener::bind(("0.0.0.0", port)).unwrap());
        let word = word.to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(mut stream), word) = (stream, word.clone()) else { return };
                std::thread::spawn(move || echo(&mut stream, &word));
            }
        });
    }

    /// Looks a name up as programs in the container do.
    pub(crate) fn lookup(&self, name: &str) -> Vec<Ipv4Addr> {
        self.ask(name, RecordType::A).map(|answer| addresses(&answer)).unwrap_or_default()
    }

    /// Asks the name server; nothing if it does not answer.
    pub(crate) fn ask(&self, name: &str, kind: RecordType) -> Option<Message> {
        let server = self.attachment.gateway;
        self.inside(|| ask(server, name, kind))
    }

    /// What the server at an address says first.
    pub(crate) fn greeting(&self, to: impl Into<SocketAddr> + Send) -> std::io::Result<String> {
        self.inside(|| greeting(to.into()))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A process that sits in a fresh namespace.
pub(crate) fn process() -> Child {
    let mut child = Command::new("unshare")
        .args(["-n", "sh", "-c", "echo; exec sleep 1000"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child
}

/// Runs something on a thread in the namespace of a process.
pub(crate) fn inside<T: Send>(pid: u32, work: impl FnOnce() -> T + Send) -> T {
    let namespace = File::open(format!("/proc/{pid}/ns/net")).unwrap();
    std::thread::scope(|scope| {
        let work = move || {
            setns(&namespace, CloneFlags::CLONE_NEWNET).unwrap();
            work()
        };
        scope.spawn(work).join().unwrap()
    })
}

/// Says a word, then repeats what it hears.
fn echo(stream: &mut TcpStream, word: &str) {
    let mut buffer = [0; 64];
    if writeln!(stream, "{word}").is_err() {
        return;
    }
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}

/// What the server at an address says first.
pub(crate) fn greeting(to: SocketAddr) -> std::io::Result<String> {
    let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn ask(server: Ipv4Addr, name: &str, kind: RecordType) -> Option<Message> {
    let mut question = Message::query();
    question.metadata.recursion_desired = true;
    question.add_query(Query::query(Name::from_ascii(format!("{name}.")).unwrap(), kind));
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // A question can be lost with the helper; resolvers ask again, too.
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    socket.connect((server, 53)).ok()?;
    socket.send(&question.to_vec().unwrap()).ok()?;
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).ok()?;
    let answer = Message::from_vec(&buffer[..length]).unwrap();
    assert_eq!(answer.metadata.id, question.metadata.id);
    Some(answer)
}

pub(crate) fn addresses(message: &Message) -> Vec<Ipv4Addr> {
    let address = |data: &RData| match data {
        RData::A(a) => Some(a.0),
        _ => None,
    };
    message.answers.iter().filter_map(|record| address(&record.data)).collect()
}

/// Waits until something is so.
pub(crate) fn until(what: &str, so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether the host has rules or a link of this name.
pub(crate) fn is_on_host(uplink: &str) -> bool {
    let tables = Command::new("nft").args(["list", "tables"]).output().unwrap();
    let links = std::fs::read_to_string("/proc/net/dev").unwrap();
    let tables = String::from_utf8(tables.stdout).unwrap();
    tables.lines().any(|line| line == format!("table ip {uplink}"))
        || links.lines().any(|line| line.trim_start().starts_with(&format!("{uplink}:")))
}
