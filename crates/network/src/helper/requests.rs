//! The one task that owns a network and does what is asked of it.

use super::kernel::Kernel;
use super::ports::{Ports, Way};
use super::{Order, holder};
use crate::error::Fault;
use crate::files::{self, Files};
use crate::host_rules::uplink_name;
use crate::names::Zone;
use crate::process::Process;
use crate::protocol::{
    Attachment, Description, Envelope, Member, Outcome, Reply, Request, Target, VERSION, receive,
    send,
};
use crate::state::{Joined, Place, Published, State};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::{future, io, net::SocketAddr, time::Duration};
use tokio::{
    io::BufReader,
    net::{UnixListener, UnixStream},
    sync::{Semaphore, mpsc, oneshot, watch as channel},
    time::interval,
};

/// Most requests that wait.
const QUEUE: usize = 64;

/// Most connections at a time.
const CONNECTIONS_MAX: usize = 256;

/// How often the helper looks whether its directory is still there.
const LOOK: Duration = Duration::from_secs(3);

/// How much stack a thread needs that only waits.
const STACK: usize = 64 << 10;

/// Pause after an error that all connections would share.
const PAUSE: Duration = Duration::from_millis(50);

/// A network and everything that makes it.
pub(super) struct Helper {
    pub(super) order: Order,
    pub(super) files: Files,
    pub(super) kernel: Kernel,
    pub(super) state: State,
    pub(super) names: channel::Sender<Zone>,
    pub(super) ports: Ports,
}

type Job = (Request, oneshot::Sender<Outcome>);

/// Comes when a process has ended.
type Ended = oneshot::Receiver<()>;

impl Helper {
    /// Does what is asked until the network is removed, its owner ends or its directory goes.
    pub(super) async fn run(mut self, listener: UnixListener) -> Result<(), Fault> {
        let (jobs, mut queue) = mpsc::channel(QUEUE);
        tokio::spawn(accept(listener, jobs));
        let mut owner = self.order.owner.map(watch).transpose()?;
        let mut keeper = self.files.holder().map(watch).transpose()?;
        let mut look = interval(LOOK);
        loop {
            tokio::select! {
                Some((request, answer)) = queue.recv() => {
                    let last = request == Request::Remove;
                    let outcome = self.perform(request).await;
                    // Who asked may have gone.
                    drop(answer.send(outcome));
                    if last {
                        // The answer is on its way when the connection's task has run.
                        tokio::time::sleep(PAUSE).await;
                        return Ok(());
                    }
                }
                () = ended(owner.as_mut()) => return self.demolish().await,
                () = ended(keeper.as_mut()) => {
                    // The holder ends with the owner too, and may be seen to first.
                    if !self.files.exists() || self.is_abandoned() {
                        return self.demolish().await;
                    }
                    holder::start(&self.order, Some(&self.kernel.inner)).await?;
                    keeper = self.files.holder().map(watch).transpose()?;
                }
                _ = look.tick() => {
                    if !self.files.exists() {
                        return self.demolish().await;
                    }
                }
            }
        }
    }

    /// Whether the owner, if there is one, ended.
    fn is_abandoned(&self) -> bool {
        self.order.owner.is_some_and(|owner| !owner.is_alive())
    }

    async fn perform(&mut self, request: Request) -> Outcome {
        match request {
            Request::Attach(member) => self.attach(member).await,
            Request::Detach(name) => self.detach(&name).await,
            Request::SetService { name, target } => self.set_service(&name, target).await,
            Request::RemoveService(name) => self.remove_service(&name).await,
            Request::Publish { listen, name, port } => {
                self.publish(Published { listen, name, port }).await
            }
            Request::Unpublish(listen) => self.unpublish(listen),
            Request::Describe => self.describe(),
            Request::Remove => self.demolish().await.map(|()| Reply::Done),
        }
    }

    async fn attach(&mut self, member: Member) -> Outcome {
        let name = member.name.clone();
        let lost = || Fault::Refused(format!("the process of `{name}` is lost"));
        let process = Process::of(member.pid).map_err(|_| lost())?;
        let place = match self.state.join(member, process)? {
            Joined::Again(place) => place,
            Joined::New(place) => {
                if let Err(fault) = self.kernel.plug(&place, &self.state).await {
                    self.state.members.remove(&name);
                    // What could not be done is not the reason then.
                    return Err(if process.is_alive() { fault } else { lost() });
                }
                place
            }
        };
        self.commit()?;
        Ok(Reply::Attached(self.attachment(&place)))
    }

    fn attachment(&self, place: &Place) -> Attachment {
        let inner = self.state.plan.inner;
        let (address, gateway) = (inner.address(place.host), inner.gateway());
        Attachment { address, gateway, mtu: self.state.mtu }
    }

    async fn detach(&mut self, name: &str) -> Outcome {
        if let Some(place) = self.state.members.remove(name) {
            self.commit()?;
            self.kernel.unplug(&place).await?;
        }
        Ok(Reply::Done)
    }

    async fn set_service(&mut self, name: &str, target: Target) -> Outcome {
        let before = self.state.services.clone();
        let address = self.state.set_service(name, target)?;
        let inner = self.state.plan.inner;
        let changed = self.state.services.values().find(|s| inner.address(s.host) == address);
        let rules = changed.map(|service| service.rules(inner)).unwrap_or_default();
        if let Err(fault) = self.kernel.apply(&rules).await {
            self.state.services = before;
            return Err(fault);
        }
        self.commit()?;
        Ok(Reply::Address(address))
    }

    async fn remove_service(&mut self, name: &str) -> Outcome {
        self.state.remove_service(name);
        self.commit()?;
        self.kernel.apply(&self.state.rules()).await.map(|()| Reply::Done)
    }

    async fn publish(&mut self, published: Published) -> Outcome {
        if self.state.published.contains(&published) {
            return Ok(Reply::Listening(published.listen));
        }
        let way = self.way();
        let bound = self.ports.open(&published, way).await?;
        if let Err(fault) = self.state.publish(Published { listen: bound, ..published }) {
            self.ports.close(bound);
            return Err(fault);
        }
        self.save()?;
        Ok(Reply::Listening(bound))
    }

    fn unpublish(&mut self, listen: SocketAddr) -> Outcome {
        self.ports.close(listen);
        self.state.published.retain(|published| published.listen != listen);
        self.save().map(|()| Reply::Done)
    }

    /// Opens again what a helper before this one had published. A port that somebody took
    /// meanwhile is forgotten.
    pub(super) async fn reopen_ports(&mut self) {
        for published in std::mem::take(&mut self.state.published) {
            let way = self.way();
            if self.ports.open(&published, way).await.is_ok() {
                self.state.published.push(published);
            }
        }
    }

    fn way(&self) -> Way {
        Way {
            inner: self.kernel.inner.clone(),
            names: self.names.subscribe(),
            gateway: self.state.plan.inner.gateway(),
        }
    }

    fn describe(&self) -> Outcome {
        let state = &self.state;
        let inner = state.plan.inner;
        let helper = Process::current().map_err(Fault::doing("look at this process"))?;
        let members =
            state.members.iter().map(|(name, place)| (name.clone(), inner.address(place.host)));
        let served = state.services.iter().filter(|(_, service)| service.target.is_some());
        let services = served.map(|(name, service)| (name.clone(), inner.address(service.host)));
        Ok(Reply::Description(Box::new(Description {
            id: state.id.clone(),
            helper,
            owner: state.owner,
            gateway: inner.gateway(),
            uplink: state.uplink.map(uplink_name).unwrap_or_default(),
            members: members.collect(),
            services: services.collect(),
            published: state.published.iter().map(|published| published.listen).collect(),
        })))
    }

    async fn demolish(&mut self) -> Result<(), Fault> {
        if let Some(uplink) = self.state.uplink {
            self.kernel.demolish(uplink, self.state.firewall).await?;
        }
        if let Some(keeper) = self.files.holder() {
            keeper.kill().map_err(Fault::doing("end the holder"))?;
        }
        self.files.remove().map_err(Fault::doing("remove the network's directory"))
    }

    /// Records a change and makes its names known.
    fn commit(&mut self) -> Result<(), Fault> {
        self.save()?;
        self.names.send_replace(self.state.zone());
        Ok(())
    }

    /// Records the state.
    pub(super) fn save(&self) -> Result<(), Fault> {
        let bytes = serde_json::to_vec(&self.state).expect("a state is plain data");
        files::write(&self.files.state(), &bytes).map_err(Fault::doing("record the network"))
    }
}

/// Waits for a process to end; for ever if there is none to wait for.
async fn ended(process: Option<&mut Ended>) {
    match process {
        // The watching thread ends without a word.
        Some(ended) => drop(ended.await),
        None => future::pending().await,
    }
}

/// Watches a process from a thread of its own.
fn watch(process: Process) -> Result<Ended, Fault> {
    let (said, ended) = oneshot::channel::<()>();
    let watch = move || {
        if let Ok(descriptor) = process.descriptor() {
            while poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], None) == Err(Errno::INTR) {}
        }
        // Being dropped is what it says.
        drop(said);
    };
    let thread = std::thread::Builder::new().name("watch".to_owned()).stack_size(STACK);
    thread.spawn(watch).map_err(Fault::doing("watch a process"))?;
    Ok(ended)
}

async fn accept(listener: UnixListener, jobs: mpsc::Sender<Job>) {
    let room = std::sync::Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(permit) = std::sync::Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let jobs = jobs.clone();
        tokio::spawn(async move {
            // The end of a connection, however it comes, ends what can be asked over it.
            drop(converse(stream, &jobs).await);
            drop(permit);
        });
    }
}

async fn converse(stream: UnixStream, jobs: &mpsc::Sender<Job>) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    while let Some(envelope) = receive::<Envelope>(&mut read).await? {
        let outcome = if envelope.version == VERSION {
            ask(jobs, envelope.request).await
        } else {
            let version = envelope.version;
            Err(Fault::Refused(format!("the helper speaks version {VERSION}, not {version}")))
        };
        send(&mut write, &outcome).await?;
    }
    Ok(())
}

async fn ask(jobs: &mpsc::Sender<Job>, request: Request) -> Outcome {
    let gone = || Fault::Refused("the network is being removed".to_owned());
    let (answer, answered) = oneshot::channel();
    jobs.send((request, answer)).await.map_err(|_| gone())?;
    answered.await.map_err(|_| gone())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_that_never_was_has_ended() {
        watch(Process { pid: u32::MAX, start: 0 }).unwrap().await.unwrap_err();
    }
}
