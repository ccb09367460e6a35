//! One network, as those see it who use it.

use crate::dial::dial;
use crate::error::NetworkError;
use crate::files::Files;
use crate::helper::{Announcement, Order, Role, SUBCOMMAND, short};
use crate::protocol::{
    Attachment, Description, Envelope, Member, Outcome, Reply, Request, Target, VERSION, receive,
    send,
};
use fairway_engine::GroupId;
use std::{
    fs::File,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::{TcpStream, UnixStream},
    process::Command,
    time::{Instant, sleep, timeout},
};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a helper that another process is starting is tried.
const RETRY: Duration = Duration::from_millis(5);

/// How often a request is made if its helper ends meanwhile.
const ATTEMPTS: u32 = 3;

/// A network. A helper that was killed is started again, by the process that holds the namespace or
/// by the next request, and adopts what is there. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Network {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    order: Order,
    files: Files,
    program: Arc<PathBuf>,
}

impl Network {
    pub(crate) fn new(order: Order, program: Arc<PathBuf>) -> Self {
        let files = Files::at(order.directory.clone());
        Self { inner: Arc::new(Inner { order, files, program }) }
    }

    /// Its id.
    pub fn id(&self) -> &GroupId {
        &self.inner.order.id
    }

    /// Gives a container, whose process waits in a fresh network namespace of its own, its link,
    /// address and names. To be repeated if in doubt. A container that only wants the outside
    /// world joins a network of which it is the only member.
    pub async fn attach(&self, member: &Member) -> Result<Attachment, NetworkError> {
        match self.call(Request::Attach(member.clone())).await? {
            Reply::Attached(attachment) => Ok(attachment),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Takes a container out by name; one that is not in is fine.
    pub async fn detach(&self, name: &str) -> Result<(), NetworkError> {
        self.call(Request::Detach(name.to_owned())).await.map(drop)
    }

    /// Sets what a name stands for. Its address stays the same as long as the network lives;
    /// connections that exist stay where they are.
    pub async fn set_service(&self, name: &str, target: Target) -> Result<Ipv4Addr, NetworkError> {
        match self.call(Request::SetService { name: name.to_owned(), target }).await? {
            Reply::Address(address) => Ok(address),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Forgets a name; one that is not known is fine.
    pub async fn remove_service(&self, name: &str) -> Result<(), NetworkError> {
        self.call(Request::RemoveService(name.to_owned())).await.map(drop)
    }

    /// Makes a port of the host lead to a name in the network. Gives the address it listens on;
    /// port 0 becomes a free one.
    pub async fn publish(
        &self,
        listen: SocketAddr,
        name: &str,
        port: u16,
    ) -> Result<SocketAddr, NetworkError> {
        match self.call(Request::Publish { listen, name: name.to_owned(), port }).await? {
            Reply::Listening(bound) => Ok(bound),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Ends what [`publish`](Self::publish) began.
    pub async fn unpublish(&self, listen: SocketAddr) -> Result<(), NetworkError> {
        self.call(Request::Unpublish(listen)).await.map(drop)
    }

    /// How it stands.
    pub async fn describe(&self) -> Result<Description, NetworkError> {
        match self.call(Request::Describe).await? {
            Reply::Description(description) => Ok(*description),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Connects to an address in the network, from a process outside. Needs no helper.
    pub async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        dial(&self.inner.files, address).await
    }

    /// A path of its namespace, as long as the process that holds it lives.
    pub fn namespace_path(&self) -> Result<PathBuf, NetworkError> {
        match self.inner.files.holder() {
            Some(holder) => Ok(PathBuf::from(format!("/proc/{}/ns/net", holder.pid))),
            None => Err(NetworkError::NotOpen(self.id().clone())),
        }
    }

    /// Removes it with all its rules; one that is gone is fine. Its links go with its last process,
    /// within some 30 ms.
    pub async fn remove(&self) -> Result<(), NetworkError> {
        if !self.inner.files.exists() {
            return Ok(());
        }
        match self.call(Request::Remove).await {
            Err(NetworkError::NotOpen(_)) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Creates its directory and starts its helper, if that does not run.
    pub(crate) async fn start(&self) -> Result<(), NetworkError> {
        self.inner.files.create().map_err(NetworkError::io("create the network's directory"))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.connect().await.is_ok() {
                return Ok(());
            }
            match self.start_helper().await? {
                Announcement::Ready => return Ok(()),
                Announcement::Failed(fault) => return Err(fault.of(self.id())),
                Announcement::Busy if Instant::now() > deadline => return Err(self.late()),
                Announcement::Busy => sleep(RETRY).await,
            }
        }
    }

    async fn start_helper(&self) -> Result<Announcement, NetworkError> {
        let role = Role::Serve(self.inner.order.clone());
        let role = serde_json::to_string(&role).expect("an order is plain data");
        let log = self.inner.files.log();
        let log = File::create(&log).map_err(NetworkError::io("create the helper's log"))?;
        let mut command = Command::new(&*self.inner.program);
        command.arg(SUBCOMMAND).arg(role);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().map_err(NetworkError::io("start the network's helper"))?;
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut line = String::new();
        match timeout(PATIENCE, stdout.read_line(&mut line)).await {
            Ok(read) => read.map_err(NetworkError::io("listen to the network's helper"))?,
            Err(_) => return Err(self.late()),
        };
        serde_json::from_str(&line).map_err(|_| self.refused("its helper ended at once"))
    }

    async fn call(&self, request: Request) -> Result<Reply, NetworkError> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            match timeout(PATIENCE, self.ask(&request)).await {
                Ok(Ok(outcome)) => return outcome.map_err(|fault| fault.of(self.id())),
                Ok(Err(error)) => last = Some(error),
                Err(_) => return Err(self.late()),
            }
            if !self.inner.files.exists() {
                return Err(NetworkError::NotOpen(self.id().clone()));
            }
            self.start().await?;
        }
        let last = last.unwrap_or_else(|| io::ErrorKind::ConnectionAborted.into());
        Err(NetworkError::io("talk to the network's helper")(last))
    }

    async fn ask(&self, request: &Request) -> io::Result<Outcome> {
        let mut stream = self.connect().await?;
        send(&mut stream, &Envelope { version: VERSION, request: request.clone() }).await?;
        let answer = receive(&mut BufReader::new(stream)).await?;
        answer.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    async fn connect(&self) -> io::Result<UnixStream> {
        let directory = File::open(self.inner.files.directory())?;
        UnixStream::connect(short(&directory, &self.inner.files.socket())).await
    }

    fn late(&self) -> NetworkError {
        NetworkError::Timeout { network: self.id().clone(), limit: PATIENCE }
    }

    fn refused(&self, why: &str) -> NetworkError {
        NetworkError::Refused { network: self.id().clone(), why: why.to_owned() }
    }

    fn unexpected(&self, reply: &Reply) -> NetworkError {
        self.refused(&format!("its helper answered something else: {reply:?}"))
    }
}
